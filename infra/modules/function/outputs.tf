output "address" {
  description = "Its address."
  value       = google_cloudfunctions2_function.function.service_config[0].uri
}

output "service" {
  description = "Its name as a service of Cloud Run."
  value       = google_cloudfunctions2_function.function.name
}
