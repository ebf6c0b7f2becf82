variable "name" {
  description = "The function's name in the code."
  type        = string
}

variable "function" {
  description = "Its entry of the inventory."
  type = object({
    called_by      = string
    publishes      = list(string)
    needs_database = bool
    every_s        = optional(number)
    reaches_out    = optional(bool, false)
    variables      = list(string)
    secrets        = list(string)
  })
}

variable "project" {
  description = "The id of the project."
  type        = string
}

variable "region" {
  description = "The region in which it runs."
  type        = string
}

variable "prefix" {
  description = "The beginning of all names that are ours to choose."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,15}$", var.prefix))
    error_message = "A prefix has 2 to 16 small letters, digits and hyphens: names of accounts have 30 at most."
  }
}

variable "labels" {
  description = "Labels of everything that takes labels."
  type        = map(string)
}

variable "runtime" {
  description = "The runtime for which the modules were compiled, such as python311."
  type        = string
}

variable "sha256" {
  description = "The hash of the function's zip, in hexadecimal."
  type        = string

  validation {
    condition     = can(regex("^[0-9a-f]{64}$", var.sha256))
    error_message = "The hash of a zip has 64 hexadecimal digits."
  }
}

variable "sources" {
  description = "The bucket with the zips."
  type        = string
}

variable "builder" {
  description = "The account that builds it, by its full name."
  type        = string
}

variable "images" {
  description = "The repository of its images, by its full name."
  type        = string
}

variable "topics" {
  description = "The names of the topics."
  type        = map(string)
}

variable "database" {
  description = "The name of the database."
  type        = string
}

variable "values" {
  description = "Values of the variables that the inventory names."
  type        = map(string)
}

variable "settings" {
  description = "Further variables that the operator has chosen."
  type        = map(string)
}

variable "secrets" {
  description = "The secrets that it reads, by their variables: each secret's id and version."
  type        = map(object({ id = string, version = string }))
}

variable "size" {
  description = "Memory, CPU, seconds, requests at once in an instance, and how many instances."
  type = object({
    memory        = string
    cpu           = string
    timeout_s     = number
    concurrency   = number
    min_instances = number
    max_instances = number
  })
}

variable "ingress" {
  description = "From where it can be reached at all: ALLOW_ALL, ALLOW_INTERNAL_ONLY or ALLOW_INTERNAL_AND_GCLB."
  type        = string
}

variable "callers" {
  description = "Who may call it, by a name for each: members of policies."
  type        = map(string)
}
