output "warmlead" {
  description = "Addresses, secrets, alerts and the archive."
  value       = module.warmlead
}
