project         = "your-project-prod"
region          = "europe-west1"
alerts_to       = "you@example.com"
billing_account = "" # such as 012345-6789AB-CDEF01; empty: no budget
monthly_budget  = 50 # in the currency of the billing account
