# The environment for trying things out: cheap, and it can be deleted whole.
# What else may be chosen: infra/modules/warmlead/variables.tf.

module "warmlead" {
  source = "../../modules/warmlead"

  environment     = "dev"
  project         = var.project
  region          = var.region
  alerts_to       = var.alerts_to
  billing_account = var.billing_account
  monthly_budget  = var.monthly_budget
  staged          = jsondecode(file(var.staged))
  secret_versions = var.secret_versions

  protect      = false
  backup_days  = 1
  archive_days = 31
}
