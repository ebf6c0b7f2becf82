variable "project" {
  description = "The id of the project."
  type        = string
}

variable "region" {
  description = "The region in which messages are kept."
  type        = string
}

variable "location" {
  description = "Where BigQuery keeps the tables: a region, or EU or US."
  type        = string
}

variable "prefix" {
  description = "The beginning of all names that are ours to choose."
  type        = string
}

variable "labels" {
  description = "Labels of everything that takes labels."
  type        = map(string)
}

variable "topics" {
  description = "The full names of the topics."
  type        = map(string)
}

variable "agent" {
  description = "Pub/Sub's own account, as a member of policies."
  type        = string
}

variable "keeps_days" {
  description = "Days after which a day of the archive is deleted; 0: never."
  type        = number
}

variable "protect" {
  description = "Whether tables are protected against deletion."
  type        = bool
}
