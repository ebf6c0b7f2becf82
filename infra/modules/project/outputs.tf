output "builder" {
  description = "The account that builds functions, by its full name."
  value       = google_service_account.builder.id
}

output "images" {
  description = "The repository of images, by its full name."
  value       = google_artifact_registry_repository.images.id
}

output "ready" {
  description = "What has to be there before anything else: for depends_on."
  value = [
    for each in google_project_service.api : each.id
  ]
}
