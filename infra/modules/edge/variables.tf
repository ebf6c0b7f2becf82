variable "project" {
  description = "The id of the project."
  type        = string
}

variable "region" {
  description = "The region of the functions."
  type        = string
}

variable "prefix" {
  description = "The beginning of all names that are ours to choose."
  type        = string
}

variable "domain" {
  description = "The domain that senders post to, such as hooks.example.com."
  type        = string
}

variable "services" {
  description = "The public functions: each name with its service."
  type        = map(string)
}

variable "default" {
  description = "The function that answers all other paths, with 404."
  type        = string
}

variable "requests_a_minute" {
  description = "Tracking requests a minute for each key and address; tools may send ten times as many."
  type        = number

  validation {
    condition     = var.requests_a_minute >= 1 && var.requests_a_minute <= 100000
    error_message = "Cloud Armor limits from 1 to 1,000,000 requests, and tools may send ten times as many."
  }
}
