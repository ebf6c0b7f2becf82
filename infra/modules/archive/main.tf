# The archive in BigQuery: every accepted event and every move, whole, as Pub/Sub delivered it.
# Pub/Sub writes the rows itself; no function is in between.

locals {
  # Columns that `write_metadata` fills (https://cloud.google.com/pubsub/docs/bigquery).
  columns = [
    { name = "subscription_name", type = "STRING", mode = "NULLABLE", description = "The subscription that wrote the row." },
    { name = "message_id", type = "STRING", mode = "NULLABLE", description = "Pub/Sub's id: a message that was published twice has two." },
    { name = "publish_time", type = "TIMESTAMP", mode = "NULLABLE", description = "When Pub/Sub took the message." },
    { name = "attributes", type = "JSON", mode = "NULLABLE", description = "type, lead_id and others; no personal data." },
    { name = "data", type = "STRING", mode = "NULLABLE", description = "The message in JSON; it has personal data." },
  ]

  tables = {
    lead_events = {
      topic       = "lead-events"
      description = "Every accepted event: messages of the topic lead-events, some of them more than once."
    }
    lifecycle = {
      topic       = "lifecycle"
      description = "Messages about stages, offers and promises: the topic lifecycle."
    }
    mql = {
      topic       = "mql"
      description = "Messages about leads that became qualified: the topic mql."
    }
  }
}

resource "google_bigquery_dataset" "archive" {
  project                    = var.project
  dataset_id                 = replace("${var.prefix}_archive", "-", "_")
  location                   = var.location
  description                = "Warmlead's archive. It has personal data: erase a person here too."
  labels                     = var.labels
  max_time_travel_hours      = 48 # what was erased can be brought back for two days, not seven
  delete_contents_on_destroy = !var.protect
}

resource "google_bigquery_table" "messages" {
  for_each = local.tables

  project             = var.project
  dataset_id          = google_bigquery_dataset.archive.dataset_id
  table_id            = each.key
  description         = each.value.description
  labels              = var.labels
  schema              = jsonencode(local.columns)
  deletion_protection = var.protect

  time_partitioning {
    type          = "DAY"
    field         = "publish_time"
    expiration_ms = var.keeps_days == 0 ? null : var.keeps_days * 86400000
  }
}

# One row for each event, the earliest delivery of it: an event's key is source, trust and id.
resource "google_bigquery_table" "event_rows" {
  project             = var.project
  dataset_id          = google_bigquery_dataset.archive.dataset_id
  table_id            = "event_rows"
  description         = "One row for each accepted event. Name a range of publish_time to keep a query cheap."
  labels              = var.labels
  deletion_protection = false # a view has no data of its own

  view {
    use_legacy_sql = false
    query          = <<-SQL
      SELECT * FROM (SELECT
        publish_time,
        message_id,
        JSON_VALUE(attributes, '$.lead_id') AS lead_id,
        JSON_VALUE(event, '$.id') AS id,
        JSON_VALUE(event, '$.source') AS source,
        JSON_VALUE(event, '$.trust') AS trust,
        JSON_VALUE(event, '$.name') AS name,
        TIMESTAMP(JSON_VALUE(event, '$.occurred_at')) AS occurred_at,
        TIMESTAMP(JSON_VALUE(event, '$.received_at')) AS received_at,
        event
      FROM `${var.project}.${google_bigquery_dataset.archive.dataset_id}.${google_bigquery_table.messages["lead_events"].table_id}`,
        UNNEST(JSON_QUERY_ARRAY(SAFE.PARSE_JSON(data, wide_number_mode => 'round'), '$.events')) AS event)
      WHERE TRUE
      QUALIFY ROW_NUMBER() OVER (PARTITION BY source, trust, id ORDER BY received_at, publish_time) = 1
    SQL
  }
}

# One row for each move: a message may come twice under one id, so the first counts.
resource "google_bigquery_table" "move_rows" {
  project             = var.project
  dataset_id          = google_bigquery_dataset.archive.dataset_id
  table_id            = "move_rows"
  description         = "One row for each stage move that was sent, without personal data."
  labels              = var.labels
  deletion_protection = false

  view {
    use_legacy_sql = false
    query          = <<-SQL
      WITH messages AS (
        SELECT publish_time, SAFE.PARSE_JSON(data, wide_number_mode => 'round') AS message
        FROM `${var.project}.${google_bigquery_dataset.archive.dataset_id}.${google_bigquery_table.messages["lifecycle"].table_id}`
        UNION ALL
        SELECT publish_time, SAFE.PARSE_JSON(data, wide_number_mode => 'round')
        FROM `${var.project}.${google_bigquery_dataset.archive.dataset_id}.${google_bigquery_table.messages["mql"].table_id}`
      )
      SELECT * FROM (SELECT
        publish_time,
        JSON_VALUE(message, '$.id') AS id,
        JSON_VALUE(message, '$.subject') AS lead_id,
        TIMESTAMP(JSON_VALUE(message, '$.time')) AS learnt_at,
        TIMESTAMP(JSON_VALUE(message, '$.data.effective_at')) AS at,
        JSON_VALUE(message, '$.data.from_stage') AS from_stage,
        JSON_VALUE(message, '$.data.stage') AS stage,
        CAST(JSON_VALUE(message, '$.data.cycle') AS INT64) AS cycle,
        CAST(JSON_VALUE(message, '$.data.score') AS INT64) AS score,
        JSON_VALUE(message, '$.data.reason') AS reason,
        JSON_VALUE(message, '$.data.model_version') AS model_version
      FROM messages
      WHERE JSON_VALUE(message, '$.type') = 'warmlead.lead.stage_entered.v1')
      WHERE TRUE
      QUALIFY ROW_NUMBER() OVER (PARTITION BY id ORDER BY publish_time) = 1
    SQL
  }
}

# Pub/Sub's own account writes rows, into these tables only.
resource "google_bigquery_table_iam_member" "writes" {
  for_each = google_bigquery_table.messages

  project    = var.project
  dataset_id = each.value.dataset_id
  table_id   = each.value.table_id
  role       = "roles/bigquery.dataEditor"
  member     = var.agent
}

# What BigQuery does not take ends here, instead of waiting in the backlog for good.
resource "google_pubsub_topic" "dead" {
  project                    = var.project
  name                       = "${var.prefix}-archive-dead"
  labels                     = var.labels
  message_retention_duration = "2678400s"

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }
}

resource "google_pubsub_subscription" "dead" {
  project                    = var.project
  name                       = "${var.prefix}-archive-dead"
  topic                      = google_pubsub_topic.dead.id
  labels                     = var.labels
  message_retention_duration = "2678400s"

  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }

  expiration_policy {
    ttl = ""
  }
}

resource "google_pubsub_topic_iam_member" "dead_letters" {
  project = var.project
  topic   = google_pubsub_topic.dead.name
  role    = "roles/pubsub.publisher"
  member  = var.agent
}

resource "google_pubsub_subscription" "archive" {
  for_each = local.tables

  project                    = var.project
  name                       = "${var.prefix}-archive-${each.value.topic}"
  topic                      = var.topics[each.value.topic]
  labels                     = var.labels
  message_retention_duration = "604800s"

  bigquery_config {
    table               = "${var.project}.${google_bigquery_dataset.archive.dataset_id}.${google_bigquery_table.messages[each.key].table_id}"
    write_metadata      = true
    drop_unknown_fields = false
  }

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead.id
    max_delivery_attempts = 100
  }

  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }

  expiration_policy {
    ttl = ""
  }

  depends_on = [google_bigquery_table_iam_member.writes]
}

resource "google_pubsub_subscription_iam_member" "dead_letters" {
  for_each = google_pubsub_subscription.archive

  project      = var.project
  subscription = each.value.name
  role         = "roles/pubsub.subscriber"
  member       = var.agent
}
