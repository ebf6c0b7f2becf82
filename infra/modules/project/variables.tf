variable "project" {
  description = "The id of the project."
  type        = string
}

variable "region" {
  description = "The region of everything that has one."
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

variable "sources" {
  description = "The bucket with the zips of functions."
  type        = string
}

variable "unlogged" {
  description = "The functions that are reached from outside: a pixel's address is an event, a search names a person."
  type        = list(string)
}

variable "with_balancer" {
  description = "Whether there is a load balancer."
  type        = bool
}

variable "with_budget" {
  description = "Whether there is a budget."
  type        = bool
}
