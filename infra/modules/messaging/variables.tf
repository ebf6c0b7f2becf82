variable "project" {
  description = "The id of the project."
  type        = string
}

variable "project_number" {
  description = "The number of the project: Google's own accounts have it in their names."
  type        = string
}

variable "region" {
  description = "The region in which messages are kept."
  type        = string
}

variable "prefix" {
  description = "The beginning of all names that are ours to choose; topics have the code's names."
  type        = string
}

variable "labels" {
  description = "Labels of everything that takes labels."
  type        = map(string)
}

variable "topics" {
  description = "The topics of the inventory."
  type        = list(string)
}

variable "topic_days" {
  description = "Days for which a topic keeps what was delivered, so that it can be delivered again."
  type        = number

  validation {
    condition     = var.topic_days >= 1 && var.topic_days <= 31
    error_message = "Pub/Sub keeps messages for 1 to 31 days here."
  }
}

variable "subscriptions" {
  description = "The subscriptions of the inventory."
  type = map(object({
    topic           = string
    pushes_to       = string
    filter          = string
    ack_deadline_s  = number
    first_pause_s   = number
    longest_pause_s = number
    attempts        = number
    dead_letters    = string
    keeps_s         = number
  }))

  validation {
    condition     = alltrue([for each in var.subscriptions : each.attempts == 0 || (each.attempts >= 5 && each.attempts <= 100)])
    error_message = "Pub/Sub gives a message up after 5 to 100 attempts."
  }

  validation {
    condition     = alltrue([for each in var.subscriptions : each.ack_deadline_s >= 10 && each.ack_deadline_s <= 600])
    error_message = "Pub/Sub waits for 10 to 600 seconds until a message is acknowledged."
  }
}

variable "addresses" {
  description = "The address of each function to which messages are pushed, by its name."
  type        = map(string)
}

variable "breached_type" {
  description = "The type of the messages about promises that sales did not keep."
  type        = string
}
