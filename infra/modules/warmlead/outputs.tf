output "addresses" {
  description = "Where senders post to, by function."
  value       = { for name in local.public : name => var.domain == "" ? module.acceptor[name].address : "https://${var.domain}/${name}" }
}

output "private_addresses" {
  description = "The other functions."
  value = {
    for name, each in module.consumer :
    name => lookup(local.page_domains, name, "") == "" ? each.address : "https://${local.page_domains[name]}"
  }
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

output "dashboard_address" {
  description = "The address to which the A record of the dashboard's domain must point; null without one."
  value       = module.pages["dashboard"].address
}

output "iap" {
  description = "The services of pages: whether IAP has to be on at the service itself, or stands at a load balancer."
  value       = length(var.people) == 0 ? {} : { for name, domain in local.page_domains : module.consumer[name].service => domain == "" }
}
