# The five values stand in terraform.tfvars; the rest comes from `make deploy`.

variable "project" {
  description = "The id of the Google Cloud project; one environment has one project."
  type        = string
}

variable "region" {
  description = "The region of everything, such as europe-west1."
  type        = string
}

variable "alerts_to" {
  description = "The email address that hears of alerts."
  type        = string
}

variable "billing_account" {
  description = "The billing account, such as 012345-6789AB-CDEF01, for a budget; empty: no budget."
  type        = string
}

variable "monthly_budget" {
  description = "What a month may cost, in the currency of the billing account."
  type        = number
}

variable "staged" {
  description = "The list of what was staged."
  type        = string
}

variable "secret_versions" {
  description = "The version of each secret, by its variable."
  type        = map(string)
  default     = {}
}
