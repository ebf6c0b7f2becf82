# What a project needs before anything else: APIs, and who builds functions with what.

locals {
  apis = toset(concat([
    "artifactregistry.googleapis.com",
    "bigquery.googleapis.com",
    "cloudbuild.googleapis.com",
    "cloudfunctions.googleapis.com",
    "cloudscheduler.googleapis.com",
    "firestore.googleapis.com",
    "iam.googleapis.com",
    "iap.googleapis.com",
    "logging.googleapis.com",
    "monitoring.googleapis.com",
    "pubsub.googleapis.com",
    "run.googleapis.com",
    "secretmanager.googleapis.com",
    "storage.googleapis.com",
    ],
    var.with_balancer ? ["compute.googleapis.com"] : [],
    var.with_budget ? ["billingbudgets.googleapis.com"] : [],
  ))
}

# An API stays on when Warmlead goes: other things of the project may use it.
resource "google_project_service" "api" {
  for_each = local.apis

  project            = var.project
  service            = each.value
  disable_on_destroy = false
}

# Images of functions. Old ones are deleted, but the last of each function are kept for a roll-back.
resource "google_artifact_registry_repository" "images" {
  project       = var.project
  location      = var.region
  repository_id = "${var.prefix}-functions"
  description   = "Images of Warmlead's functions, made by Cloud Build."
  format        = "DOCKER"
  labels        = var.labels

  cleanup_policies {
    id     = "keep-recent"
    action = "KEEP"
    most_recent_versions {
      keep_count = 5
    }
  }

  cleanup_policies {
    id     = "delete-old"
    action = "DELETE"
    condition {
      older_than = "2592000s"
    }
  }

  depends_on = [google_project_service.api]
}

# Cloud Run logs the address of each request, and a pixel's address is an event with its person.
# What a function itself logs has no personal data, and stays.
resource "google_logging_project_exclusion" "requests" {
  project     = var.project
  name        = "${var.prefix}-requests"
  description = "Addresses of requests from outside: they may hold personal data."
  filter      = "log_id(\"run.googleapis.com/requests\") AND resource.labels.service_name=~\"^${var.prefix}-(${join("|", var.unlogged)})$\""

  depends_on = [google_project_service.api]
}

resource "google_service_account" "builder" {
  project      = var.project
  account_id   = "${var.prefix}-builder"
  display_name = "Warmlead: builds functions"

  depends_on = [google_project_service.api]
}

resource "google_artifact_registry_repository_iam_member" "builder" {
  project    = var.project
  location   = google_artifact_registry_repository.images.location
  repository = google_artifact_registry_repository.images.name
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.builder.member
}

resource "google_project_iam_member" "builder_logs" {
  project = var.project
  role    = "roles/logging.logWriter"
  member  = google_service_account.builder.member
}

# The platform copies sources to a bucket of its own before it builds them.
resource "google_project_iam_member" "builder_sources" {
  project = var.project
  role    = "roles/storage.objectViewer"
  member  = google_service_account.builder.member

  condition {
    title      = "sources of functions"
    expression = "resource.name.startsWith(\"projects/_/buckets/gcf-v2-sources-\") || resource.name.startsWith(\"projects/_/buckets/${var.sources}/\") || resource.name == \"projects/_/buckets/${var.sources}\""
  }
}
