variable "project" {
  description = "The id of the project."
  type        = string
}

variable "project_number" {
  description = "The number of the project: Google's own accounts have it in their names."
  type        = string
}

variable "region" {
  description = "The region in which secrets are kept."
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

variable "secrets" {
  description = "The secrets by the variable that holds each; whether it can be rotated."
  type        = map(object({ rotates = bool }))
}

variable "rotation_days" {
  description = "Days after which a secret is due for rotation."
  type        = number
}
