output "audience" {
  description = "For whom IAP signs what it says of a viewer."
  value = (
    local.balanced
    ? "/projects/${var.project_number}/global/backendServices/${google_compute_backend_service.page[0].generated_id}"
    : "/projects/${var.project_number}/locations/${var.region}/services/${var.name}"
  )
}

output "address" {
  description = "The address to which the domain's A record must point; null without a domain."
  value       = one(google_compute_global_address.page[*].address)
}
