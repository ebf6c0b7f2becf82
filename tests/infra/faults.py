"""Faults that people make in Terraform, each with the check that has to find it."""

from dataclasses import dataclass

FMT, INIT, VALIDATE, PLAN = "fmt", "init", "validate", "plan"
"""Terraform's own checks, in the order in which they run; after them come our rules, by name."""


@dataclass(frozen=True, slots=True)
class Fault:
    """``new`` in place of ``old`` in a file below ``infra``; ``found_by`` is a check or a rule.

    ``environment`` is the one that is planned. ``also`` is a rule that finds it too,
    or that it blinds: no fault that this rule is to find is seeded beside it.
    """

    kind: str
    file: str
    old: str
    new: str
    found_by: str
    environment: str = "dev"
    also: str = ""


MESSAGING = "modules/messaging/main.tf"
FUNCTION = "modules/function/main.tf"
WARMLEAD = "modules/warmlead/main.tf"
SIZING = "modules/warmlead/sizing.tf"
DATABASE = "modules/database/main.tf"
SECRETS = "modules/secrets/main.tf"
ARCHIVE = "modules/archive/main.tf"
MONITORING = "modules/monitoring/main.tf"
EDGE = "modules/edge/main.tf"
PAGES = "modules/pages/main.tf"
PROJECT = "modules/project/main.tf"
DEV = "environments/dev/main.tf"
TFVARS = "environments/dev/terraform.tfvars"

PUSH_TOKEN = """
    oidc_token {
      service_account_email = google_service_account.push.email
      audience              = var.addresses[each.value.pushes_to]
    }
"""
SECOND_PUSH = """
  push_config {
    push_endpoint = "https://example.com"
  }

  retry_policy {
    minimum_backoff = "${each.value.first_pause_s}s"
    maximum_backoff = "${each.value.longest_pause_s}s"
  }

  expiration_policy {
    ttl = "" # never"""
RETRIES = """
  retry_policy {
    minimum_backoff = "${each.value.first_pause_s}s"
    maximum_backoff = "${each.value.longest_pause_s}s"
  }

  expiration_policy {
    ttl = "" # never"""
ATTEMPTS = "max_delivery_attempts = each.value.attempts"
VARIABLES = "{ for name in var.function.variables : name => var.values[name] },"

FAULTS = (
    # What Terraform finds by itself.
    Fault("a brace is missing", PROJECT, "locals {", "locals", FMT),
    Fault("indented wrongly", PROJECT, "  for_each = local.apis", "      for_each = local.apis", FMT),
    Fault("a module that is not there", DEV, 'modules/warmlead"', 'modules/warmled"', INIT),
    Fault("a misspelt argument", MESSAGING, "ack_deadline_seconds  ", "ack_deadline_second   ", VALIDATE),
    Fault("a misspelt block", MESSAGING, "push_config {", "push_configuration {", VALIDATE),
    Fault("a missing argument", SECRETS, '  secret_id           = "${var.prefix}-${each.key}"\n', "", VALIDATE),
    Fault("a missing block", EDGE, "    rate_limit_threshold", "    rate_limit_threshhold", VALIDATE),
    Fault("a list for a text", PROJECT, "= google_service_account.builder.member", "= [google_service_account.builder.member]", VALIDATE),
    Fault("a value that the API does not know", DATABASE, '"FIRESTORE_NATIVE"', '"FIRESTORE"', VALIDATE),
    Fault("a listed value in a block", PROJECT, '"KEEP"', '"RETAIN"', VALIDATE),
    Fault("an attribute that a resource does not have", MESSAGING, "google_service_account.push.email", "google_service_account.push.mail", VALIDATE),
    Fault("an output that a module does not have", WARMLEAD, "module.database.name", "module.database.database", VALIDATE),
    Fault("an undeclared variable", MESSAGING, "var.topic_days", "var.topics_days", VALIDATE),
    Fault("an undeclared local", WARMLEAD, "local.number\n", "local.project_number\n", VALIDATE),
    Fault("an undeclared resource", FUNCTION, "google_service_account.runs.email", "google_service_account.run.email", VALIDATE),
    Fault("a module's argument is missing", WARMLEAD, "  backup_days = var.backup_days\n", "", VALIDATE),
    Fault("an argument that a module does not have", DEV, "  backup_days  = 1", "  backups_days = 1", VALIDATE),
    Fault("a circle", MESSAGING, "each.value.filter", "google_pubsub_subscription.pushed[each.key].id", PLAN),
    Fault("two blocks where one may be", MESSAGING, RETRIES, SECOND_PUSH, VALIDATE),
    Fault("a computed attribute is set", MESSAGING, 'display_name = "Warmlead: Pub/Sub', 'email = "a@b.c"\n  display_name = "Warmlead: Pub/Sub', VALIDATE),
    Fault("the same resource twice", ARCHIVE, 'resource "google_bigquery_table" "move_rows"', 'resource "google_bigquery_table" "event_rows"', VALIDATE),
    Fault("a wrong function call", SIZING, "floor(each.every_s / 60)", 'floor(each.every_s, "60")', VALIDATE),
    Fault("a file that is not there", DATABASE, 'firestore.indexes.json")', 'firestore.index.json")', VALIDATE),
    Fault("keys that only an apply knows", ARCHIVE, "for_each = google_bigquery_table.messages\n", "for_each = toset([for each in google_bigquery_table.messages : each.id])\n", PLAN),
    Fault("a value outside of its rule", TFVARS, '"europe-west1"', '"Europe"', PLAN),
    Fault("a key that a map does not have", MESSAGING, '.topic["lifecycle"]', '.topic["lifecycles"]', PLAN),
    Fault("a setting that is none", DEV, "  archive_days = 31", '  archive_days = 31\n  settings     = { WARMLEAD_OWN_HOST = "example.com" }', PLAN),
    Fault("less than a CPU for 80 requests", SIZING, 'bus     = { memory = "1Gi", cpu = "1"', 'bus     = { memory = "1Gi", cpu = "0.5"', PLAN),
    Fault("everybody among the people", "environments/all/main.tf", '"user:ada@example.com"', '"allUsers"', PLAN, "all"),
    # What only our rules find.
    Fault("more attempts than Pub/Sub makes", MESSAGING, ATTEMPTS, "max_delivery_attempts = 200", "what_is_delivered_may_be_given_up", also="every_topic_and_subscription_of_the_code_is_there"),
    Fault("fewer attempts than in the code", MESSAGING, ATTEMPTS, "max_delivery_attempts = 5", "every_topic_and_subscription_of_the_code_is_there"),
    Fault("Pub/Sub may not publish dead letters", MESSAGING, 'role    = "roles/pubsub.publisher"', 'role    = "roles/pubsub.viewer"', "what_is_delivered_may_be_given_up"),
    Fault("Pub/Sub may not take dead letters out", ARCHIVE, 'role         = "roles/pubsub.subscriber"', 'role         = "roles/pubsub.viewer"', "what_is_delivered_may_be_given_up"),
    Fault("nobody keeps dead letters", ARCHIVE, "  topic                      = google_pubsub_topic.dead.id\n", '  topic                      = var.topics["kpi"]\n', "what_is_delivered_may_be_given_up"),
    Fault("a subscription that expires", MESSAGING, 'ttl = "" # never', 'ttl = "2678400s" # never', "every_subscription_tries_again_and_never_expires"),
    Fault("no pause before the next attempt", MESSAGING, RETRIES, RETRIES[RETRIES.index("  expiration"):], "every_subscription_tries_again_and_never_expires"),
    Fault("a longer pause than Pub/Sub makes", ARCHIVE, 'maximum_backoff = "600s"', 'maximum_backoff = "900s"', "every_subscription_tries_again_and_never_expires"),
    Fault("a push without a token", MESSAGING, PUSH_TOKEN, "", "whoever_calls_a_private_function_says_who_it_is"),
    Fault("a token for another audience", WARMLEAD, "audience              = module.consumer[each.key].address", 'audience              = "https://example.com"', "whoever_calls_a_private_function_says_who_it_is"),
    Fault("a private function for everybody", WARMLEAD, "{ push = module.messaging.push_member }", '{ push = "allUsers" }', "nothing_is_public_but_what_senders_post_to"),
    Fault("another account may call", WARMLEAD, "{ push = module.messaging.push_member }", "{ push = module.messaging.push_member, clock = google_service_account.clock.member }", "a_private_function_has_one_caller"),
    Fault("senders cannot post", WARMLEAD, '{ everybody = "allUsers" }', "{}", "senders_reach_what_they_post_to"),
    Fault("private functions are reached from outside", WARMLEAD, '"ALLOW_INTERNAL_ONLY"', '"ALLOW_ALL"', "private_functions_are_not_reached_from_outside"),
    Fault("a way around the load balancer", WARMLEAD, 'var.domain != "" ? "ALLOW_INTERNAL_AND_GCLB"', 'var.domain != "" ? "ALLOW_ALL"', "behind_a_load_balancer_there_is_no_way_around_it", "all"),
    Fault("an editor", PROJECT, '"roles/logging.logWriter"', '"roles/editor"', "no_role_is_primitive", also="roles_on_the_project_are_few_and_limited"),
    Fault("a role on the whole project", FUNCTION, '"roles/datastore.user"', '"roles/pubsub.subscriber"', "roles_on_the_project_are_few_and_limited"),
    Fault("every database of the project", FUNCTION, '  condition {\n    title      = "only Warmlead\'s database"\n    expression = "resource.name == \\"projects/${var.project}/databases/${var.database}\\""\n  }\n', "", "roles_on_the_project_are_few_and_limited"),
    Fault("a policy that takes from others what they have", PROJECT, 'resource "google_project_iam_member" "builder_logs" {\n  project = var.project\n  role    = "roles/logging.logWriter"\n  member  = google_service_account.builder.member', 'resource "google_project_iam_binding" "builder_logs" {\n  project = var.project\n  role    = "roles/logging.logWriter"\n  members = [google_service_account.builder.member]', "grants_are_added_not_replaced"),
    Fault("a function may not publish", FUNCTION, "for_each = toset(var.function.publishes)", 'for_each = setsubtract(var.function.publishes, ["nurture"])', "each_function_may_publish_what_it_publishes_and_no_more"),
    Fault("a function may publish anything", FUNCTION, "for_each = toset(var.function.publishes)", "for_each = toset(keys(var.topics))", "each_function_may_publish_what_it_publishes_and_no_more"),
    Fault("a function may not use the database", FUNCTION, "var.function.needs_database ? 1", 'var.function.needs_database && var.name != "report" ? 1', "who_needs_the_database_may_use_it_and_nobody_else"),
    Fault("a function may not read its secret", FUNCTION, "for_each = var.secrets\n\n  project   =", 'for_each = { for name, each in var.secrets : name => each if name != "WARMLEAD_WRITE_KEYS" }\n\n  project   =', "who_has_a_secret_may_read_it_and_nobody_else"),
    Fault("functions share an account", FUNCTION, "service_account_email            = google_service_account.runs.email", 'service_account_email            = "warmlead-score@test.iam.gserviceaccount.com"', "each_function_has_an_account_of_its_own"),
    Fault("a function is not deployed", WARMLEAD, "functions = local.inventory.functions", 'functions = { for name, each in local.inventory.functions : name => each if name != "mail" }', "every_function_of_the_table_is_there"),
    Fault("a function is left out", WARMLEAD, 'name => each if each.called_by != "senders"', 'name => each if each.called_by != "senders" && name != "report"', PLAN),
    Fault("an accepting function is left out", WARMLEAD, 'name => each if each.called_by == "senders"', 'name => each if each.called_by == "senders" && name != "mail"', PLAN),
    Fault("a row is missing in the inventory", "inventory.json", '"report": {', '"reports": {', PLAN),
    Fault("code that a change does not name", FUNCTION, "functions/${var.name}-${var.sha256}.zip", "functions/${var.name}.zip", "code_is_named_by_its_hash"),
    Fault("pushed again while it is worked on", SIZING, 'bus     = { memory = "1Gi", cpu = "1", timeout_s = 60', 'bus     = { memory = "1Gi", cpu = "1", timeout_s = 90', "the_bus_waits_as_long_as_the_function_works"),
    Fault("more requests at once than was measured", SIZING, 'senders = { memory = "512Mi", cpu = "1", timeout_s = 60, concurrency = 80', 'senders = { memory = "512Mi", cpu = "1", timeout_s = 60, concurrency = 500', "limits_are_set_and_fit"),
    Fault("a variable is missing", FUNCTION, VARIABLES, '{ for name in var.function.variables : name => var.values[name] if name != "WARMLEAD_PROJECT" },', "every_function_starts_with_its_variables"),
    Fault("who checks callers is missing", "inventory.json", ',\n        "WARMLEAD_PUSH_AUTH"', "", "every_function_starts_with_its_variables"),
    Fault("a variable that nobody reads", FUNCTION, "var.settings,\n", "var.settings,\n      { WARMLEAD_REGION = var.region },\n", "every_function_starts_with_its_variables"),
    Fault("a variable of nobody", FUNCTION, "var.settings,\n", 'var.settings,\n      { LOG_EXECUTION_ID = "true" },\n', "every_declared_variable_is_read"),
    Fault("a secret is missing", WARMLEAD, "name => distinct(concat(each.secrets, ", "name => distinct(concat([], ", "every_function_starts_with_its_variables", also="who_has_a_secret_may_read_it_and_nobody_else"),
    Fault("a secret that a function does not read", WARMLEAD, "name => distinct(concat(each.secrets, ", "name => distinct(concat(keys(local.inventory.secrets), ", "every_declared_variable_is_read"),
    Fault("a secret in the clear", FUNCTION, "var.settings,\n", 'var.settings,\n      { CONTACT_SECRET = "s3cr3t" },\n', "no_secret_is_written_in_the_clear"),
    Fault("a key of a cloud in the clear", DEV, "  archive_days = 31", '  archive_days = 31\n  labels       = { key = "AKIAIOSFODNN7EXAMPLE" }', "no_secret_is_written_in_the_clear"),
    Fault("secrets that are never due", SECRETS, "for_each = { for name, each in var.secrets : name => each if !each.rotates }", "for_each = var.secrets", "secrets_are_rotated_and_somebody_is_told"),
    Fault("an index is missing", DATABASE, "for_each = local.indexes", 'for_each = { for name, each in local.indexes : name => each if name != "leads-shard-due_at" }', "every_declared_index_and_exemption_is_there"),
    Fault("a field is indexed", DATABASE, "for_each = local.exempt", 'for_each = { for name, each in local.exempt : name => each if name != "leads-document" }', "every_declared_index_and_exemption_is_there"),
    Fault("backups once a week", DATABASE, "daily_recurrence {}", 'weekly_recurrence {\n    day = "SUNDAY"\n  }', "leads_are_backed_up"),
    Fault("real leads may be deleted", "environments/prod/main.tf", "  backup_days   = 30", "  protect       = false\n  backup_days   = 30", "real_leads_are_protected", "prod"),
    Fault("the archive is in tables of other names", ARCHIVE, "  table_id            = each.key\n", '  table_id            = "${each.key}_v2"\n', "the_archive_is_written_whole"),
    Fault("the archive has no attributes", ARCHIVE, "write_metadata      = true", "write_metadata      = false", "the_archive_is_written_whole"),
    Fault("Pub/Sub may not write the archive", ARCHIVE, "  member     = var.agent", '  member     = "user:ada@example.com"', "the_archive_is_written_whole"),
    Fault("a page that trusts whoever comes", WARMLEAD, 'WARMLEAD_DASHBOARD_AUTH     = "iap"', 'WARMLEAD_DASHBOARD_AUTH     = "link"', "pages_look_at_their_viewers_themselves"),
    Fault("a page that takes what IAP signed for another", WARMLEAD, 'module.pages["dashboard"].audience', '"/projects/${local.number}/locations/${var.region}/services/${var.prefix}-score"', "pages_look_at_their_viewers_themselves", "all"),
    Fault("people may call a page without IAP", WARMLEAD, "{ iap = local.iap }", "{ for member in var.people : member => member }", "nobody_but_iap_calls_a_page", "all"),
    Fault("IAP may not call a page", WARMLEAD, "length(var.people) > 0 ? { iap = local.iap } : {}", "{}", "iap_lets_through_whom_a_page_lets_in", "all"),
    Fault("IAP lets nobody through", PAGES, "for_each = local.balanced ? var.people : []", "for_each = toset([])", "iap_lets_through_whom_a_page_lets_in", "all"),
    Fault("IAP lets through whom the page does not know", PAGES, "for_each = local.balanced ? var.people : []", 'for_each = local.balanced ? setunion(var.people, ["domain:example.net"]) : []', "iap_lets_through_whom_a_page_lets_in", "all"),
    Fault("IAP is off", PAGES, "    enabled = true", "    enabled = false", "iap_is_on_at_the_load_balancer_of_a_page_and_nobody_comes_around", "all", also="the_load_balancer_limits_the_rate_of_every_function"),
    Fault("a way around IAP", WARMLEAD, 'lookup(local.page_domains, name, "") != "" ? "ALLOW_INTERNAL_AND_GCLB"', 'lookup(local.page_domains, name, "") != "" ? "ALLOW_ALL"', "iap_is_on_at_the_load_balancer_of_a_page_and_nobody_comes_around", "all"),
    Fault("a page that waits for its own load balancer", PAGES, "service = var.name", "service = var.service", PLAN, "all"),
    Fault("IAP lets everybody through", PAGES, "for_each = local.balanced ? var.people : []", 'for_each = local.balanced ? setunion(var.people, ["allUsers"]) : []', "nothing_is_public_but_what_senders_post_to", "all", also="iap_lets_through_whom_a_page_lets_in"),
    Fault("requests with personal data in logs", PROJECT, 'join("|", var.unlogged)', '"forms"', "addresses_of_requests_are_not_logged"),
    Fault("cut off during an attempt", SIZING, "clock = { timeout_s = 120", "clock = { timeout_s = 60", "an_attempt_at_a_tool_ends_before_its_function_is_cut_off"),
    Fault("called every two minutes", SIZING, '"*/${floor(each.every_s / 60)} * * * *"', '"*/2 * * * *"', "every_scheduled_function_is_called_as_often_as_the_table_says"),
    Fault("the call ends before the function", WARMLEAD, 'attempt_deadline = "${local.sizes[each.key].timeout_s}s"', 'attempt_deadline = "30s"', "every_scheduled_function_is_called_as_often_as_the_table_says"),
    Fault("an alert that tells nobody", MONITORING, "  severity              = each.value.severity\n  notification_channels = [google_monitoring_notification_channel.mail.id]", "  severity              = each.value.severity\n  notification_channels = []", "every_alert_tells_somebody_what_to_do"),
    Fault("dead letters that nobody watches", WARMLEAD, "concat(module.messaging.dead_letter_subscriptions, [module.archive.dead_letter_subscription])", "module.messaging.dead_letter_subscriptions", "all_that_is_given_up_or_waits_is_watched"),
    Fault("no limit for each key", EDGE, '"HTTP_HEADER"\n        enforce_on_key_name = "Authorization"', '"XFF_IP"', "the_load_balancer_limits_the_rate_of_every_function", "all"),
    Fault("a function without limits", EDGE, "  security_policy       = google_compute_security_policy.limits.id\n", "", "the_load_balancer_limits_the_rate_of_every_function", "all"),
    Fault("the load balancer listens in the clear", EDGE, '"443"', '"80"', "the_load_balancer_limits_the_rate_of_every_function", "all"),
)  # fmt: skip
