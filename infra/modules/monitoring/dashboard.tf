# One page: what comes in, what waits, what fails, and how fast it is.

locals {
  tiles = [
    {
      title  = "Requests a second, by function"
      filter = "${local.requests} AND ${local.ours}"
      series = "ALIGN_RATE"
      sum    = "REDUCE_SUM"
      by     = ["resource.label.service_name"]
    },
    {
      title  = "Answers a second, by class"
      filter = "${local.requests} AND ${local.ours}"
      series = "ALIGN_RATE"
      sum    = "REDUCE_SUM"
      by     = ["metric.label.response_code_class"]
    },
    {
      title  = "Latency in ms, 99th percentile"
      filter = "resource.type = \"cloud_run_revision\" AND metric.type = \"run.googleapis.com/request_latencies\" AND ${local.ours}"
      series = "ALIGN_PERCENTILE_99"
      sum    = "REDUCE_MAX"
      by     = ["resource.label.service_name"]
    },
    {
      title  = "Oldest message that waits, in seconds"
      filter = local.oldest
      series = "ALIGN_MAX"
      sum    = "REDUCE_MAX"
      by     = ["resource.label.subscription_id"]
    },
    {
      title  = "Messages that wait: dead letters, quarantine, missed promises"
      filter = local.waiting
      series = "ALIGN_MAX"
      sum    = "REDUCE_MAX"
      by     = ["resource.label.subscription_id"]
    },
    {
      title  = "Messages published a second, by topic"
      filter = "resource.type = \"pubsub_topic\" AND metric.type = \"pubsub.googleapis.com/topic/send_message_operation_count\""
      series = "ALIGN_RATE"
      sum    = "REDUCE_SUM"
      by     = ["resource.label.topic_id"]
    },
    {
      title  = "Instances, by function"
      filter = "resource.type = \"cloud_run_revision\" AND metric.type = \"run.googleapis.com/container/instance_count\" AND ${local.ours}"
      series = "ALIGN_MAX"
      sum    = "REDUCE_SUM"
      by     = ["resource.label.service_name"]
    },
    {
      title  = "Documents written a second"
      filter = "resource.type = \"firestore_instance\" AND metric.type = \"firestore.googleapis.com/document/write_count\""
      series = "ALIGN_RATE"
      sum    = "REDUCE_SUM"
      by     = ["metric.label.op"]
    },
  ]
}

resource "google_monitoring_dashboard" "overview" {
  project = var.project

  dashboard_json = jsonencode({
    displayName = "Warmlead"
    labels      = { warmlead = "" }
    mosaicLayout = {
      columns = 12
      tiles = [
        for index, tile in local.tiles : {
          xPos   = 6 * (index % 2)
          yPos   = 4 * floor(index / 2)
          width  = 6
          height = 4
          widget = {
            title = tile.title
            xyChart = {
              dataSets = [{
                plotType = "LINE"
                timeSeriesQuery = {
                  timeSeriesFilter = {
                    filter = tile.filter
                    aggregation = {
                      alignmentPeriod    = "60s"
                      perSeriesAligner   = tile.series
                      crossSeriesReducer = tile.sum
                      groupByFields      = tile.by
                    }
                  }
                }
              }]
            }
          }
        }
      ]
    }
  })
}
