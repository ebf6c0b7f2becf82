output "topics" {
  description = "The names of the topics."
  value       = { for name, each in google_pubsub_topic.topic : name => each.name }
}

output "topic_ids" {
  description = "The full names of the topics."
  value       = { for name, each in google_pubsub_topic.topic : name => each.id }
}

output "push_member" {
  description = "The account as which Pub/Sub calls functions, as a member of policies."
  value       = google_service_account.push.member
}

output "agent" {
  description = "Pub/Sub's own account, as a member of policies."
  value       = local.agent
}

output "pushed_subscriptions" {
  description = "The names of the subscriptions that are pushed."
  value       = [for each in google_pubsub_subscription.pushed : each.name]
}

output "dead_letter_subscriptions" {
  description = "The names of the subscriptions that keep dead letters."
  value       = [for each in local.dead : each.dead_letters]
}

output "breached_subscription" {
  description = "The subscription that keeps breaches for a day."
  value       = google_pubsub_subscription.breached.name
}
