# Memory, CPU, seconds, requests at once, and instances of each function, by who calls it.
#
# - One CPU: an instance that takes more than one request at once must have a whole one. An event
#   takes 0.42 ms of it to be accepted and 0.71 ms to be applied (docs/performance.md).
# - Memory: a function that accepts holds 80 bodies of 1 to 2 MB at worst; one that evaluates leads
#   peaked at 106 MB, and takes messages of up to 10 MB, which grow five-fold when they are read.
# - 80 requests at once is Cloud Run's own default, with which all rates were measured. A clock's
#   function has one call at a time; a second instance takes a call that overlaps.
# - Seconds: 60 for what senders and Pub/Sub wait for (Pub/Sub pushes again after 60). A clock's
#   function may take until its next call, but 9 minutes at most.
# - Instances: the most is the lid on what an attack may cost. 20 accept about 20,000 events a
#   second; 10 apply as many as 500 leads at once are worth, and keep Firestore's 500/50/5 ramp.
# - Functions that reach out wait for tools. `deliver` peaked at 94 MB with 80 messages of 60 KB at
#   once. Each instance makes 8 attempts at one tool at once, and tools have limits: so 4 instances,
#   32 attempts; what finds no turn waits a minute for `redeliver`. That one begins attempts for
#   50 s, and the last may take 40 more: cut off at 60 s, a mail whose answer was lost would be
#   given up. So it has 120 s, as long as the claim of an attempt, and a third instance for calls
#   that overlap.

locals {
  kinds = {
    senders = { memory = "512Mi", cpu = "1", timeout_s = 60, concurrency = 80, max_instances = 20 }
    bus     = { memory = "1Gi", cpu = "1", timeout_s = 60, concurrency = 80, max_instances = 10 }
    clock   = { memory = "512Mi", cpu = "1", timeout_s = 60, concurrency = 1, max_instances = 2 }
    other   = { memory = "512Mi", cpu = "1", timeout_s = 60, concurrency = 20, max_instances = 2 }
  }

  reaching = {
    bus   = { memory = "512Mi", max_instances = 4 }
    clock = { timeout_s = 120, max_instances = 3 }
  }

  sizes = {
    for name, each in local.functions : name => merge(
      lookup(local.kinds, each.called_by, local.kinds.other),
      { min_instances = each.called_by == "senders" ? var.min_instances : 0 },
      each.called_by == "clock" ? { timeout_s = min(540, max(60, each.every_s)) } : {},
      each.reaches_out ? lookup(local.reaching, each.called_by, {}) : {},
      { for trait, value in try(var.sizing[name], {}) : trait => value if value != null },
    )
  }

  # Daily ones after midnight UTC: a report is about the day that has ended.
  schedules = {
    for name, each in local.scheduled : name => (
      each.every_s < 3600 ? "*/${floor(each.every_s / 60)} * * * *" :
      each.every_s < 86400 ? "0 */${floor(each.every_s / 3600)} * * *" :
      "10 0 * * *"
    )
  }
}
