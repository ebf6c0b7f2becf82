variable "project" {
  description = "The id of the project."
  type        = string
}

variable "project_number" {
  description = "The number of the project."
  type        = string
}

variable "region" {
  description = "The region of the function."
  type        = string
}

variable "name" {
  description = "The name of the function, which all that stands before it bears."
  type        = string
}

variable "service" {
  description = "The same name, known once the function is there."
  type        = string
}

variable "domain" {
  description = "The domain of a load balancer before it, such as leads.example.com; empty: none."
  type        = string
}

variable "people" {
  description = "Who may open it: members of policies."
  type        = set(string)
}
