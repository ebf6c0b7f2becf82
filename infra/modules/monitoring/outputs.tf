output "alerts" {
  description = "The names of the alerts."
  value = concat(
    [for each in google_monitoring_alert_policy.threshold : each.display_name],
    [google_monitoring_alert_policy.error_rate.display_name],
    [for each in google_monitoring_alert_policy.silent_clock : each.display_name],
  )
}
