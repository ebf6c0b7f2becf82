variable "project" {
  description = "The id of the project."
  type        = string
}

variable "project_number" {
  description = "The number of the project."
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

variable "alerts_to" {
  description = "The email address that hears of alerts."
  type        = string
}

variable "billing_account" {
  description = "The billing account, for a budget; empty: no budget."
  type        = string
}

variable "monthly_budget" {
  description = "What a month may cost, in the currency of the billing account."
  type        = number
}

variable "dead_letter_subscriptions" {
  description = "Subscriptions that are empty unless something was given up."
  type        = list(string)
}

variable "delivering_subscriptions" {
  description = "Subscriptions that are pushed or written to BigQuery."
  type        = list(string)
}

variable "breached_subscription" {
  description = "The subscription that keeps breaches for a day."
  type        = string
}

variable "secrets_due_subscription" {
  description = "The subscription that keeps reminders of rotation."
  type        = string
}

variable "frequent" {
  description = "Services that a clock calls every few minutes, by function."
  type        = map(string)
}

variable "backlog_s" {
  description = "Seconds for which a message may wait before somebody is told."
  type        = number
}

variable "quarantined_an_hour" {
  description = "Requests an hour that may be set aside before somebody is told."
  type        = number
}

variable "breaches_a_day" {
  description = "Promises a day that sales may miss before somebody is told."
  type        = number
}
