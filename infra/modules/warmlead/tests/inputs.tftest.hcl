# What may be given to the module, and what it makes of it; `terraform test`, without an account.

mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }
}

variables {
  environment     = "test"
  project         = "acme-leads-test"
  region          = "europe-west1"
  alerts_to       = "ops@example.com"
  billing_account = ""
  monthly_budget  = 50
  staged = {
    runtime = "python311"
    functions = {
      for name in keys(jsondecode(file("../../inventory.json")).functions) :
      name => { sha256 = sha256(name), secrets = [] }
    }
  }
}

run "usual" {
  command = plan

  assert {
    condition     = length(module.consumer) + length(module.acceptor) == length(local.functions)
    error_message = "A function of the inventory is not deployed."
  }

  assert {
    condition     = length(module.edge) == 0
    error_message = "Without a domain there is no load balancer."
  }

  assert {
    condition     = alltrue([for name, size in local.sizes : size.timeout_s >= 60 && size.timeout_s <= 540])
    error_message = "A function works for 60 to 540 seconds."
  }
}

run "a_size_of_ones_own" {
  command = plan

  variables {
    sizing = { score = { memory = "2Gi" } }
  }

  assert {
    condition     = local.sizes.score.memory == "2Gi" && local.sizes.score.concurrency == 80
    error_message = "A size of one's own changes what it names, and nothing else."
  }
}

run "no_project" {
  command         = plan
  expect_failures = [var.project]

  variables {
    project = "Acme"
  }
}

run "no_region" {
  command         = plan
  expect_failures = [var.region]

  variables {
    region = "Europe"
  }
}

run "no_address" {
  command         = plan
  expect_failures = [var.alerts_to]

  variables {
    alerts_to = "ops"
  }
}

run "no_billing_account" {
  command         = plan
  expect_failures = [var.billing_account]

  variables {
    billing_account = "mine"
  }
}

run "half_a_budget" {
  command         = plan
  expect_failures = [var.monthly_budget]

  variables {
    monthly_budget = 0.5
  }
}

run "a_setting_that_is_none" {
  command         = plan
  expect_failures = [var.settings]

  variables {
    settings = { WARMLEAD_ID_SECRET = "in the clear" }
  }
}

run "a_domain_with_its_scheme" {
  command         = plan
  expect_failures = [var.dashboard_domain]

  variables {
    dashboard_domain = "https://leads.example.com"
  }
}

run "one_domain_for_senders_and_people" {
  command         = plan
  expect_failures = [var.dashboard_domain]

  variables {
    domain           = "hooks.example.com"
    dashboard_domain = "hooks.example.com"
  }
}

run "everybody_among_the_people" {
  command         = plan
  expect_failures = [var.people]

  variables {
    people = ["allUsers"]
  }
}
