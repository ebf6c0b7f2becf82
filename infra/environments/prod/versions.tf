terraform {
  required_version = ">= 1.9, < 2.0"

  # The bucket is named by `make deploy`: <project>-warmlead-deploy.
  backend "gcs" {
    prefix = "terraform"
  }

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 6.50, < 8.0"
    }
  }
}

provider "google" {
  project               = var.project
  region                = var.region
  billing_project       = var.project
  user_project_override = true # budgets are asked for on behalf of a project
}
