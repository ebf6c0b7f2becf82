output "dataset" {
  description = "The dataset of the archive."
  value       = google_bigquery_dataset.archive.dataset_id
}

output "subscriptions" {
  description = "The names of the subscriptions that write the archive."
  value       = [for each in google_pubsub_subscription.archive : each.name]
}

output "dead_letter_subscription" {
  description = "The subscription that keeps what BigQuery did not take."
  value       = google_pubsub_subscription.dead.name
}
