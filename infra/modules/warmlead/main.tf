# Warmlead in one project. What there is comes from the inventory, which the code's own tables
# write (`make inventory`); what is deployed comes from `staged.json`, which `make stage` writes.

locals {
  inventory = jsondecode(file("${path.module}/../../inventory.json"))
  functions = local.inventory.functions
  labels    = merge({ app = "warmlead", environment = var.environment }, var.labels)
  number    = data.google_project.this.number
  sources   = coalesce(var.sources, "${var.project}-warmlead-deploy")
  location  = coalesce(var.firestore_location, var.region)

  # Files of senders name further secrets; whose, and which, is known once they are staged.
  read_by = {
    for name, each in local.functions :
    name => distinct(concat(each.secrets, var.staged.functions[name].secrets))
  }
  secrets = {
    for name in toset(flatten(values(local.read_by))) :
    name => { rotates = try(local.inventory.secrets[name].rotates, true) }
  }

  people    = [for name, each in local.functions : name if each.called_by == "people"]
  public    = [for name, each in local.functions : name if each.called_by == "senders"]
  scheduled = { for name, each in local.functions : name => each if each.called_by == "clock" }
  pushed    = [for name, each in local.functions : name if each.called_by == "bus"]

  # Destinations and the like may bring subscriptions of their own when they are staged.
  subscriptions = merge(local.inventory.subscriptions, var.staged.subscriptions)
  topics = distinct(concat(
    local.inventory.topics,
    [for each in local.subscriptions : each.dead_letters if each.dead_letters != ""],
  ))

  # A function for people is called by IAP alone, which asks who they are.
  iap = "serviceAccount:service-${local.number}@gcp-sa-iap.iam.gserviceaccount.com"

  # The domain of a load balancer before a function for people; the others have none.
  page_domains = { for name in local.people : name => name == "dashboard" ? var.dashboard_domain : "" }

  # Who may call a function, by who calls it. A function for people is called by nobody unless an
  # operator names some; nothing but what senders post to is for everybody.
  callers = {
    for name, each in local.functions : name => (
      each.called_by == "senders" ? { everybody = "allUsers" } :
      each.called_by == "bus" ? { push = module.messaging.push_member } :
      each.called_by == "clock" ? { clock = google_service_account.clock.member } :
      length(var.people) > 0 ? { iap = local.iap } : {}
    )
  }

  # Pub/Sub and Cloud Scheduler of the same project count as internal.
  ingress = {
    for name, each in local.functions : name => (
      contains(["bus", "clock"], each.called_by) ? "ALLOW_INTERNAL_ONLY" :
      each.called_by == "senders" && var.domain != "" ? "ALLOW_INTERNAL_AND_GCLB" :
      lookup(local.page_domains, name, "") != "" ? "ALLOW_INTERNAL_AND_GCLB" : "ALLOW_ALL"
    )
  }

  values = {
    WARMLEAD_ENV       = "production"
    WARMLEAD_BACKEND   = "gcp"
    WARMLEAD_PROJECT   = var.project
    WARMLEAD_DATABASE  = module.database.name
    WARMLEAD_PUSH_AUTH = "iam" # nobody but the caller above may invoke these services

    # A page looks at IAP's signed assertion itself: whoever gets past IAP is still not let in.
    WARMLEAD_DASHBOARD_AUTH     = "iap"
    WARMLEAD_DASHBOARD_AUDIENCE = module.pages["dashboard"].audience
    WARMLEAD_DASHBOARD_PEOPLE = join(",", concat(
      [for each in var.people : trimprefix(each, "user:") if startswith(each, "user:")],
      [for each in var.people : trimprefix(each, "serviceAccount:") if startswith(each, "serviceAccount:")],
      [for each in var.people : "@${trimprefix(each, "domain:")}" if startswith(each, "domain:")],
    ))
  }
}

data "google_project" "this" {
  project_id = var.project
}

module "project" {
  source = "../project"

  project       = var.project
  region        = var.region
  prefix        = var.prefix
  labels        = local.labels
  sources       = local.sources
  unlogged      = concat(local.public, local.people)
  with_balancer = var.domain != "" || var.dashboard_domain != ""
  with_budget   = var.billing_account != ""
}

module "secrets" {
  source = "../secrets"

  project        = var.project
  project_number = local.number
  region         = var.region
  prefix         = var.prefix
  labels         = local.labels
  secrets        = local.secrets
  rotation_days  = var.rotation_days

  depends_on = [module.project.ready]
}

module "database" {
  source = "../database"

  project     = var.project
  location    = local.location
  database    = var.database
  create      = var.create_database
  protect     = var.protect
  backup_days = var.backup_days

  depends_on = [module.project.ready]
}

module "messaging" {
  source = "../messaging"

  project        = var.project
  project_number = local.number
  region         = var.region
  prefix         = var.prefix
  labels         = local.labels
  topics         = local.topics
  topic_days     = var.topic_days
  subscriptions  = local.subscriptions
  addresses      = { for name in local.pushed : name => module.consumer[name].address }
  breached_type  = local.inventory.breached_type

  depends_on = [module.project.ready]
}

# Whom Cloud Scheduler calls functions as.
resource "google_service_account" "clock" {
  project      = var.project
  account_id   = "${var.prefix}-clock"
  display_name = "Warmlead: Cloud Scheduler calls functions as this account"

  depends_on = [module.project.ready]
}

# Those that read messages come before those that write them: a new field is understood before it
# is sent. `make rollback` goes the other way, in two steps.
module "consumer" {
  source   = "../function"
  for_each = { for name, each in local.functions : name => each if each.called_by != "senders" }

  name     = each.key
  function = each.value
  project  = var.project
  region   = var.region
  prefix   = var.prefix
  labels   = local.labels
  runtime  = var.staged.runtime
  sha256   = var.staged.functions[each.key].sha256
  sources  = local.sources
  builder  = module.project.builder
  images   = module.project.images
  topics   = module.messaging.topics
  database = module.database.name
  values   = local.values
  settings = var.settings
  secrets  = local.given[each.key]
  size     = local.sizes[each.key]
  ingress  = local.ingress[each.key]
  callers  = local.callers[each.key]

  depends_on = [module.project.ready]
}

module "acceptor" {
  source   = "../function"
  for_each = { for name, each in local.functions : name => each if each.called_by == "senders" }

  name     = each.key
  function = each.value
  project  = var.project
  region   = var.region
  prefix   = var.prefix
  labels   = local.labels
  runtime  = var.staged.runtime
  sha256   = var.staged.functions[each.key].sha256
  sources  = local.sources
  builder  = module.project.builder
  images   = module.project.images
  topics   = module.messaging.topics
  database = module.database.name
  values   = local.values
  settings = var.settings
  secrets  = local.given[each.key]
  size     = local.sizes[each.key]
  ingress  = local.ingress[each.key]
  callers  = local.callers[each.key]

  depends_on = [module.consumer]
}

module "pages" {
  source   = "../pages"
  for_each = local.page_domains

  project        = var.project
  project_number = local.number
  region         = var.region
  name           = "${var.prefix}-${each.key}"
  service        = module.consumer[each.key].service
  domain         = each.value
  people         = var.people

  depends_on = [module.project.ready]
}

locals {
  given = {
    for name, variables in local.read_by : name => {
      for variable in variables : variable => {
        id      = module.secrets.ids[variable]
        version = lookup(var.secret_versions, variable, "latest")
      }
    }
  }
}

resource "google_cloud_scheduler_job" "clock" {
  for_each = local.scheduled

  project     = var.project
  region      = coalesce(var.scheduler_region, var.region)
  name        = "${var.prefix}-${each.key}"
  description = "Calls ${each.key}. Calling it twice at once does no harm."
  schedule    = local.schedules[each.key]
  time_zone   = "Etc/UTC"

  # A call of every minute is followed by the next; one of every day is tried again.
  attempt_deadline = "${local.sizes[each.key].timeout_s}s"

  retry_config {
    retry_count          = each.value.every_s >= 86400 ? 5 : 0
    min_backoff_duration = "60s"
    max_backoff_duration = "600s"
  }

  http_target {
    http_method = "POST"
    uri         = module.consumer[each.key].address

    oidc_token {
      service_account_email = google_service_account.clock.email
      audience              = module.consumer[each.key].address
    }
  }
}

module "archive" {
  source = "../archive"

  project    = var.project
  region     = var.region
  location   = coalesce(var.archive_location, var.region)
  prefix     = var.prefix
  labels     = local.labels
  topics     = module.messaging.topic_ids
  agent      = module.messaging.agent
  keeps_days = var.archive_days
  protect    = var.protect

  depends_on = [module.project.ready]
}

module "monitoring" {
  source = "../monitoring"

  project                   = var.project
  project_number            = local.number
  prefix                    = var.prefix
  labels                    = local.labels
  alerts_to                 = var.alerts_to
  billing_account           = var.billing_account
  monthly_budget            = var.monthly_budget
  dead_letter_subscriptions = concat(module.messaging.dead_letter_subscriptions, [module.archive.dead_letter_subscription])
  delivering_subscriptions  = concat(module.messaging.pushed_subscriptions, module.archive.subscriptions)
  breached_subscription     = module.messaging.breached_subscription
  secrets_due_subscription  = module.secrets.due_subscription
  frequent                  = { for name, each in local.scheduled : name => module.consumer[name].service if each.every_s <= 600 }
  backlog_s                 = var.backlog_s
  quarantined_an_hour       = var.quarantined_an_hour
  breaches_a_day            = var.breaches_a_day

  depends_on = [module.project.ready]
}

module "edge" {
  source = "../edge"
  count  = var.domain == "" ? 0 : 1

  project           = var.project
  region            = var.region
  prefix            = var.prefix
  domain            = var.domain
  services          = { for name in local.public : name => module.acceptor[name].service }
  default           = local.public[0]
  requests_a_minute = var.requests_a_minute

  depends_on = [module.project.ready]
}
