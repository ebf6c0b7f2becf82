variable "project" {
  description = "The id of the project."
  type        = string
}

variable "location" {
  description = "Where Firestore keeps the data: a region, or nam5 or eur3 for several."
  type        = string
}

variable "database" {
  description = "The name of the database."
  type        = string
}

variable "create" {
  description = "Whether the database is made; otherwise the project has it."
  type        = bool
}

variable "protect" {
  description = "Whether the database is protected against deletion, with recovery of the last 7 days."
  type        = bool
}

variable "backup_days" {
  description = "Days for which each daily backup is kept."
  type        = number

  validation {
    condition     = var.backup_days >= 1 && var.backup_days <= 98
    error_message = "Firestore keeps a backup for 1 to 98 days."
  }
}
