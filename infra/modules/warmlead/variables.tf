# --- the five values of an environment ---

variable "project" {
  description = "The id of the Google Cloud project; one environment has one project."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "A project's id has 6 to 30 small letters, digits and hyphens."
  }
}

variable "region" {
  description = "The region of everything, such as europe-west1."
  type        = string

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]{1,2}$", var.region))
    error_message = "A region is written like europe-west1."
  }
}

variable "alerts_to" {
  description = "The email address that hears of alerts."
  type        = string

  validation {
    condition     = can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", var.alerts_to))
    error_message = "alerts_to must be an email address."
  }
}

variable "billing_account" {
  description = "The billing account, such as 012345-6789AB-CDEF01, for a budget; empty: no budget."
  type        = string

  validation {
    condition     = var.billing_account == "" || can(regex("^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$", var.billing_account))
    error_message = "A billing account is written like 012345-6789AB-CDEF01."
  }
}

variable "monthly_budget" {
  description = "What a month may cost, in the currency of the billing account."
  type        = number

  validation {
    condition     = var.monthly_budget >= 1 && floor(var.monthly_budget) == var.monthly_budget
    error_message = "A budget is a whole number from 1."
  }
}

# --- what is deployed ---

variable "environment" {
  description = "The name of the environment, as its folder."
  type        = string
}

variable "staged" {
  description = "The content of staged.json."
  type = object({
    runtime   = string
    functions = map(object({ sha256 = string, secrets = list(string) }))
    subscriptions = optional(map(object({
      topic           = string
      pushes_to       = string
      filter          = string
      ack_deadline_s  = number
      first_pause_s   = number
      longest_pause_s = number
      attempts        = number
      dead_letters    = string
      keeps_s         = number
    })), {})
  })
}

variable "secret_versions" {
  description = "The version of each secret, by its variable; make deploy names the newest ones."
  type        = map(string)
  default     = {}
}

# --- what may be chosen ---

variable "prefix" {
  description = "The beginning of all names that are ours to choose."
  type        = string
  default     = "warmlead"
}

variable "labels" {
  description = "Further labels, for example of a cost centre."
  type        = map(string)
  default     = {}
}

variable "protect" {
  description = "Whether leads and the archive are protected against deletion."
  type        = bool
  default     = true
}

variable "sources" {
  description = "The bucket of zips and releases; null: <project>-warmlead-deploy."
  type        = string
  default     = null
}

variable "create_database" {
  description = "Whether the Firestore database is made; false: the project has it."
  type        = bool
  default     = true
}

variable "database" {
  description = "The Firestore database; in a project that uses (default) for something else, name another."
  type        = string
  default     = "(default)"
}

variable "firestore_location" {
  description = "Where Firestore keeps the data; null: the region; nam5 and eur3 are several regions."
  type        = string
  default     = null
}

variable "archive_location" {
  description = "Where BigQuery keeps the archive; null: the region."
  type        = string
  default     = null
}

variable "scheduler_region" {
  description = "The region of Cloud Scheduler, if the region has none; null: the region."
  type        = string
  default     = null
}

variable "backup_days" {
  description = "Days for which each daily backup of Firestore is kept."
  type        = number
  default     = 14
}

variable "archive_days" {
  description = "Days after which a day of the archive is deleted; 0: never."
  type        = number
  default     = 400
}

variable "topic_days" {
  description = "Days for which topics keep what was delivered, so that it can be delivered again."
  type        = number
  default     = 7
}

variable "rotation_days" {
  description = "Days after which a secret is due for rotation."
  type        = number
  default     = 180
}

variable "settings" {
  description = "Further settings, such as WARMLEAD_OWN_HOSTS; docs/settings.md lists them."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.settings), jsondecode(file("${path.module}/../../inventory.json")).settings)) == 0
    error_message = "One of these is not a setting that an operator chooses: see settings in infra/inventory.json."
  }
}

variable "people" {
  description = "Who may open the dashboard and other private pages, such as user:ada@example.com."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for each in var.people : can(regex("^(user|group|serviceAccount|domain):", each))])
    error_message = "People are named as user:…, group:…, domain:… or serviceAccount:…; nothing is opened to everybody."
  }
}

variable "dashboard_domain" {
  description = "The domain of a load balancer with IAP before the dashboard; empty: IAP stands on the function's own address."
  type        = string
  default     = ""

  validation {
    condition     = var.dashboard_domain == "" || can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.dashboard_domain))
    error_message = "A domain is written like leads.example.com."
  }

  validation {
    condition     = var.dashboard_domain == "" || var.dashboard_domain != var.domain
    error_message = "The dashboard needs a domain of its own: domain is for what senders post to."
  }
}

variable "min_instances" {
  description = "Instances of each accepting function that are always there; 0: the first request waits for a start."
  type        = number
  default     = 0
}

variable "sizing" {
  description = "Other sizes for single functions; sizing.tf has the reasons of the usual ones."
  type = map(object({
    memory        = optional(string)
    cpu           = optional(string)
    timeout_s     = optional(number)
    concurrency   = optional(number)
    min_instances = optional(number)
    max_instances = optional(number)
  }))
  default = {}
}

variable "backlog_s" {
  description = "Seconds for which a message may wait before somebody is told."
  type        = number
  default     = 600
}

variable "quarantined_an_hour" {
  description = "Requests an hour that may be set aside before somebody is told."
  type        = number
  default     = 20
}

variable "breaches_a_day" {
  description = "Promises a day that sales may miss before somebody is told."
  type        = number
  default     = 0
}

variable "domain" {
  description = "The domain of a load balancer with limits of rate; empty: functions are reached directly."
  type        = string
  default     = ""
}

variable "requests_a_minute" {
  description = "With a domain: tracking requests a minute for each key and address."
  type        = number
  default     = 600
}
