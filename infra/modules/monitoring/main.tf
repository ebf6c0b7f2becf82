# Who is told, and of what. docs/operate.md says for each alert what to do; its heading there is the
# alert's name here, and a test compares the two.

resource "google_monitoring_notification_channel" "mail" {
  project      = var.project
  display_name = "Warmlead's operators"
  type         = "email"
  labels       = { email_address = var.alerts_to }
}

# Errors that concern single leads: the function goes on, so no request fails.
resource "google_logging_metric" "lead_errors" {
  project     = var.project
  name        = "${var.prefix}-lead-errors"
  description = "Leads that could not be read or evaluated, and messages to tools that could not be read."
  filter      = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=~\"^${var.prefix}-\" AND jsonPayload.event=(\"lead_unreadable\" OR \"lead_not_evaluated\" OR \"dispatch_unreadable\")"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"
  }
}

# Cloud Scheduler logs each attempt that failed as an error.
resource "google_logging_metric" "clock_errors" {
  project     = var.project
  name        = "${var.prefix}-clock-errors"
  description = "Calls of scheduled functions that failed."
  filter      = "resource.type=\"cloud_scheduler_job\" AND resource.labels.job_id=~\"^${var.prefix}-\" AND severity>=ERROR"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"
  }
}

locals {
  subscription = "resource.type = \"pubsub_subscription\" AND metric.type = \"pubsub.googleapis.com/subscription"
  waiting      = "${local.subscription}/num_undelivered_messages\""
  oldest       = "${local.subscription}/oldest_unacked_message_age\""
  requests     = "resource.type = \"cloud_run_revision\" AND metric.type = \"run.googleapis.com/request_count\""
  ours         = "resource.labels.service_name = monitoring.regex.full_match(\"${var.prefix}-.*\")"

  # Each: what is measured, and from which value on, for how many seconds, somebody is told.
  thresholds = {
    dead_letters = {
      name     = "Dead letters"
      severity = "CRITICAL"
      filter   = "${local.waiting} AND resource.labels.subscription_id = one_of(\"${join("\", \"", var.dead_letter_subscriptions)}\")"
      aligner  = "ALIGN_MAX"
      above    = 0
      for_s    = 0
    }
    backlog = {
      name     = "Backlog"
      severity = "CRITICAL"
      filter   = "${local.oldest} AND resource.labels.subscription_id = one_of(\"${join("\", \"", var.delivering_subscriptions)}\")"
      aligner  = "ALIGN_MAX"
      above    = var.backlog_s
      for_s    = 300
    }
    quarantine = {
      name     = "Quarantine"
      severity = "WARNING"
      filter   = "resource.type = \"pubsub_topic\" AND metric.type = \"pubsub.googleapis.com/topic/send_message_operation_count\" AND resource.labels.topic_id = \"quarantine\""
      aligner  = "ALIGN_DELTA"
      above    = var.quarantined_an_hour
      for_s    = 0
    }
    breaches = {
      name     = "Missed promises"
      severity = "WARNING"
      filter   = "${local.waiting} AND resource.labels.subscription_id = \"${var.breached_subscription}\""
      aligner  = "ALIGN_MAX"
      above    = var.breaches_a_day
      for_s    = 0
    }
    secrets_due = {
      name     = "Secrets due"
      severity = "WARNING"
      filter   = "${local.waiting} AND resource.labels.subscription_id = \"${var.secrets_due_subscription}\""
      aligner  = "ALIGN_MAX"
      above    = 0
      for_s    = 0
    }
    clock_errors = {
      name     = "Failed schedule"
      severity = "CRITICAL"
      filter   = "resource.type = \"cloud_scheduler_job\" AND metric.type = \"logging.googleapis.com/user/${google_logging_metric.clock_errors.name}\""
      aligner  = "ALIGN_DELTA"
      above    = 2
      for_s    = 0
    }
    lead_errors = {
      name     = "Unreadable leads"
      severity = "ERROR"
      filter   = "resource.type = \"cloud_run_revision\" AND metric.type = \"logging.googleapis.com/user/${google_logging_metric.lead_errors.name}\""
      aligner  = "ALIGN_DELTA"
      above    = 0
      for_s    = 0
    }
  }
}

resource "google_monitoring_alert_policy" "threshold" {
  for_each = local.thresholds

  project               = var.project
  display_name          = "Warmlead: ${each.value.name}"
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = [google_monitoring_notification_channel.mail.id]
  user_labels           = var.labels

  conditions {
    display_name = each.value.name

    condition_threshold {
      filter          = each.value.filter
      comparison      = "COMPARISON_GT"
      threshold_value = each.value.above
      duration        = "${each.value.for_s}s"

      aggregations {
        alignment_period     = each.value.aligner == "ALIGN_DELTA" ? "3600s" : "300s"
        per_series_aligner   = each.value.aligner
        cross_series_reducer = each.value.aligner == "ALIGN_DELTA" ? "REDUCE_SUM" : "REDUCE_NONE"
      }
    }
  }

  documentation {
    content   = "What to do: docs/operate.md, ${each.value.name}."
    mime_type = "text/markdown"
  }
}

# More than 1 of 100 requests of a function answered with 5xx.
resource "google_monitoring_alert_policy" "error_rate" {
  project               = var.project
  display_name          = "Warmlead: Error rate"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = [google_monitoring_notification_channel.mail.id]
  user_labels           = var.labels

  conditions {
    display_name = "Error rate"

    condition_threshold {
      filter             = "${local.requests} AND ${local.ours} AND metric.labels.response_code_class = \"5xx\""
      denominator_filter = "${local.requests} AND ${local.ours}"
      comparison         = "COMPARISON_GT"
      threshold_value    = 0.01
      duration           = "300s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_RATE"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["resource.labels.service_name"]
      }

      denominator_aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_RATE"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["resource.labels.service_name"]
      }
    }
  }

  documentation {
    content   = "What to do: docs/operate.md, Error rate."
    mime_type = "text/markdown"
  }
}

# A clock that stands still fails nothing: it is seen by calls that do not come.
resource "google_monitoring_alert_policy" "silent_clock" {
  for_each = var.frequent

  project               = var.project
  display_name          = "Warmlead: Silent schedule of ${each.key}"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = [google_monitoring_notification_channel.mail.id]
  user_labels           = var.labels

  conditions {
    display_name = "No successful call of ${each.key}"

    condition_absent {
      filter   = "${local.requests} AND resource.labels.service_name = \"${each.value}\" AND metric.labels.response_code_class = \"2xx\""
      duration = "1800s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_RATE"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }

  documentation {
    content   = "What to do: docs/operate.md, Silent schedule."
    mime_type = "text/markdown"
  }
}

resource "google_billing_budget" "month" {
  count = var.billing_account == "" ? 0 : 1

  billing_account = var.billing_account
  display_name    = "Warmlead in ${var.project}"

  budget_filter {
    projects        = ["projects/${var.project_number}"]
    calendar_period = "MONTH"
  }

  amount {
    specified_amount {
      units = tostring(var.monthly_budget) # in the currency of the billing account
    }
  }

  threshold_rules {
    threshold_percent = 0.5
  }

  threshold_rules {
    threshold_percent = 1.0
  }

  threshold_rules {
    threshold_percent = 1.2
    spend_basis       = "FORECASTED_SPEND"
  }

  all_updates_rule {
    monitoring_notification_channels = [google_monitoring_notification_channel.mail.id]
  }
}
