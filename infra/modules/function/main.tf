# One function: its account with the least that it needs, its code by hash, and who may call it.

resource "google_service_account" "runs" {
  project      = var.project
  account_id   = "${var.prefix}-${var.name}"
  display_name = "Warmlead: runs ${var.name}"
}

resource "google_pubsub_topic_iam_member" "publishes" {
  for_each = toset(var.function.publishes)

  project = var.project
  topic   = var.topics[each.value]
  role    = "roles/pubsub.publisher"
  member  = google_service_account.runs.member
}

resource "google_secret_manager_secret_iam_member" "reads" {
  for_each = var.secrets

  project   = var.project
  secret_id = each.value.id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.runs.member
}

# IAM reaches a database as a whole, never a collection; so at least no other database.
resource "google_project_iam_member" "database" {
  count = var.function.needs_database ? 1 : 0

  project = var.project
  role    = "roles/datastore.user"
  member  = google_service_account.runs.member

  condition {
    title      = "only Warmlead's database"
    expression = "resource.name == \"projects/${var.project}/databases/${var.database}\""
  }
}

resource "google_cloudfunctions2_function" "function" {
  project     = var.project
  location    = var.region
  name        = "${var.prefix}-${var.name}"
  description = "Warmlead's function ${var.name}."
  labels      = var.labels

  build_config {
    runtime           = var.runtime
    entry_point       = var.name
    service_account   = var.builder
    docker_repository = var.images

    source {
      storage_source {
        bucket = var.sources
        object = "functions/${var.name}-${var.sha256}.zip" # another content is another name
      }
    }
  }

  service_config {
    service_account_email            = google_service_account.runs.email
    available_memory                 = var.size.memory
    available_cpu                    = var.size.cpu
    timeout_seconds                  = var.size.timeout_s
    max_instance_request_concurrency = var.size.concurrency
    min_instance_count               = var.size.min_instances
    max_instance_count               = var.size.max_instances
    ingress_settings                 = var.ingress
    all_traffic_on_latest_revision   = true

    environment_variables = merge(
      { FUNCTION_USE_ASGI = "1" },
      { for name in var.function.variables : name => var.values[name] },
      var.settings,
    )

    dynamic "secret_environment_variables" {
      for_each = var.secrets

      content {
        key        = secret_environment_variables.key
        project_id = var.project
        secret     = secret_environment_variables.value.id
        version    = secret_environment_variables.value.version
      }
    }
  }

  lifecycle {
    precondition {
      condition     = var.size.concurrency == 1 || tonumber(var.size.cpu) >= 1
      error_message = "An instance that takes several requests at once needs a whole CPU."
    }
  }

  # An instance that may not read its secrets does not start.
  depends_on = [
    google_secret_manager_secret_iam_member.reads,
    google_pubsub_topic_iam_member.publishes,
    google_project_iam_member.database,
  ]
}

# A function of the second generation is a service of Cloud Run of the same name.
resource "google_cloud_run_v2_service_iam_member" "calls" {
  for_each = var.callers

  project  = var.project
  location = var.region
  name     = google_cloudfunctions2_function.function.name
  role     = "roles/run.invoker"
  member   = each.value
}
