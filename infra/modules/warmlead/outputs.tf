output "addresses" {
  description = "Where senders post to, by function."
  value       = { for name in local.public : name => var.domain == "" ? module.acceptor[name].address : "https://${var.domain}/${name}" }
}

output "private_addresses" {
  description = "The other functions."
  value       = { for name, each in module.consumer : name => each.address }
}

output "secrets" {
  description = "The secrets, by the variable that holds each."
  value       = module.secrets.ids
}

output "archive" {
  description = "The dataset of the archive."
  value       = module.archive.dataset
}

output "alerts" {
  description = "The names of the alerts."
  value       = module.monitoring.alerts
}

output "edge_address" {
  description = "The address to which the domain's A record must point; null without a domain."
  value       = one(module.edge[*].address)
}
