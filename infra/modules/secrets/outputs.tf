output "ids" {
  description = "The id of each secret, by the variable that holds it."
  value = merge(
    { for name, each in google_secret_manager_secret.permanent : name => each.secret_id },
    { for name, each in google_secret_manager_secret.rotated : name => each.secret_id },
  )
}

output "due_subscription" {
  description = "The subscription that keeps reminders of rotation."
  value       = google_pubsub_subscription.rotation.name
}
