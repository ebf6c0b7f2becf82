# Topics, and the subscriptions of the code's own list: pushed to functions, or kept for people.

locals {
  agent  = "serviceAccount:service-${var.project_number}@gcp-sa-pubsub.iam.gserviceaccount.com"
  pushed = { for name, each in var.subscriptions : name => each if each.pushes_to != "" }
  kept   = { for name, each in var.subscriptions : name => each if each.pushes_to == "" }
  dead   = { for name, each in var.subscriptions : name => each if each.dead_letters != "" }
}

resource "google_pubsub_topic" "topic" {
  for_each = toset(var.topics)

  project                    = var.project
  name                       = each.value
  labels                     = var.labels
  message_retention_duration = "${var.topic_days * 86400}s" # what was delivered can be delivered again

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }
}

# Whom Pub/Sub calls a function as.
resource "google_service_account" "push" {
  project      = var.project
  account_id   = "${var.prefix}-push"
  display_name = "Warmlead: Pub/Sub calls functions as this account"
}

# Pub/Sub's own account makes the tokens of that account.
resource "google_service_account_iam_member" "push" {
  service_account_id = google_service_account.push.name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = local.agent
}

resource "google_pubsub_subscription" "pushed" {
  for_each = local.pushed

  project                    = var.project
  name                       = each.key
  topic                      = google_pubsub_topic.topic[each.value.topic].id
  labels                     = var.labels
  filter                     = each.value.filter
  ack_deadline_seconds       = each.value.ack_deadline_s
  message_retention_duration = "${each.value.keeps_s}s"

  push_config {
    push_endpoint = var.addresses[each.value.pushes_to]

    oidc_token {
      service_account_email = google_service_account.push.email
      audience              = var.addresses[each.value.pushes_to]
    }
  }

  dynamic "dead_letter_policy" {
    for_each = each.value.dead_letters == "" ? [] : [1]

    content {
      dead_letter_topic     = google_pubsub_topic.topic[each.value.dead_letters].id
      max_delivery_attempts = each.value.attempts
    }
  }

  retry_policy {
    minimum_backoff = "${each.value.first_pause_s}s"
    maximum_backoff = "${each.value.longest_pause_s}s"
  }

  expiration_policy {
    ttl = "" # never: the default is after 31 days without work
  }

  depends_on = [google_service_account_iam_member.push]
}

# Dead letters and the quarantine: they wait for a person.
resource "google_pubsub_subscription" "kept" {
  for_each = local.kept

  project                    = var.project
  name                       = each.key
  topic                      = google_pubsub_topic.topic[each.value.topic].id
  labels                     = var.labels
  filter                     = each.value.filter
  ack_deadline_seconds       = each.value.ack_deadline_s
  message_retention_duration = "${each.value.keeps_s}s"

  retry_policy {
    minimum_backoff = "${each.value.first_pause_s}s"
    maximum_backoff = "${each.value.longest_pause_s}s"
  }

  expiration_policy {
    ttl = ""
  }
}

# Without both of these Pub/Sub never gives a message up: it is tried without end.
resource "google_pubsub_topic_iam_member" "dead_letters" {
  for_each = local.dead

  project = var.project
  topic   = google_pubsub_topic.topic[each.value.dead_letters].name
  role    = "roles/pubsub.publisher"
  member  = local.agent
}

resource "google_pubsub_subscription_iam_member" "dead_letters" {
  for_each = local.dead

  project      = var.project
  subscription = google_pubsub_subscription.pushed[each.key].name
  role         = "roles/pubsub.subscriber"
  member       = local.agent
}

# What sales missed waits here for a day: monitoring counts messages of a subscription only.
resource "google_pubsub_subscription" "breached" {
  project                    = var.project
  name                       = "${var.prefix}-breached"
  topic                      = google_pubsub_topic.topic["lifecycle"].id
  labels                     = var.labels
  filter                     = "attributes.type = \"${var.breached_type}\""
  message_retention_duration = "86400s"

  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }

  expiration_policy {
    ttl = ""
  }
}
