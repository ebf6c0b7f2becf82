# Secrets without their values: those never enter Terraform's state. `make deploy` adds the first
# version of each, and `make secret` a further one.

resource "google_pubsub_topic" "rotation" {
  project                    = var.project
  name                       = "${var.prefix}-secrets-due"
  labels                     = var.labels
  message_retention_duration = "604800s"

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }
}

# Secret Manager itself tells the topic that a secret is due.
resource "google_pubsub_topic_iam_member" "rotation" {
  project = var.project
  topic   = google_pubsub_topic.rotation.name
  role    = "roles/pubsub.publisher"
  member  = "serviceAccount:service-${var.project_number}@gcp-sa-secretmanager.iam.gserviceaccount.com"
}

# It keeps what nobody has looked at, and so the alert open.
resource "google_pubsub_subscription" "rotation" {
  project                    = var.project
  name                       = "${var.prefix}-secrets-due"
  topic                      = google_pubsub_topic.rotation.id
  labels                     = var.labels
  message_retention_duration = "604800s"

  expiration_policy {
    ttl = ""
  }

  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }
}

# Secrets that have no date of rotation: with another key of lead ids, leads have to be moved.
resource "google_secret_manager_secret" "permanent" {
  for_each = { for name, each in var.secrets : name => each if !each.rotates }

  project             = var.project
  secret_id           = "${var.prefix}-${each.key}"
  labels              = var.labels
  version_destroy_ttl = "2592000s" # a destroyed version can be restored for 30 days

  replication {
    user_managed {
      replicas {
        location = var.region
      }
    }
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "google_secret_manager_secret" "rotated" {
  for_each = { for name, each in var.secrets : name => each if each.rotates }

  project             = var.project
  secret_id           = "${var.prefix}-${each.key}"
  labels              = var.labels
  version_destroy_ttl = "2592000s"

  replication {
    user_managed {
      replicas {
        location = var.region
      }
    }
  }

  rotation {
    rotation_period    = "${var.rotation_days * 86400}s"
    next_rotation_time = timeadd(plantimestamp(), "${var.rotation_days * 24}h")
  }

  topics {
    name = google_pubsub_topic.rotation.id
  }

  lifecycle {
    ignore_changes = [rotation[0].next_rotation_time] # Secret Manager moves it on
  }

  depends_on = [google_pubsub_topic_iam_member.rotation]
}
