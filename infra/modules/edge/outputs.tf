output "address" {
  description = "The address to which the domain's A record must point."
  value       = google_compute_global_address.edge.address
}
