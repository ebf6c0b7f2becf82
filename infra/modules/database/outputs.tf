output "name" {
  description = "The name of the database."
  value       = local.database
}
