# The environment for real leads: protected against deletion.
# What else may be chosen: infra/modules/warmlead/variables.tf.

module "warmlead" {
  source = "../../modules/warmlead"

  environment     = "prod"
  project         = var.project
  region          = var.region
  alerts_to       = var.alerts_to
  billing_account = var.billing_account
  monthly_budget  = var.monthly_budget
  staged          = jsondecode(file(var.staged))
  secret_versions = var.secret_versions

  backup_days   = 30
  min_instances = 0 # 1: nobody waits for a start; some 10 US dollars a month for each accepting function
}
