# Who may open a private page: Identity-Aware Proxy before it, and whom it lets through.
#
# With a domain there is a load balancer whose backend has IAP on. Without one, IAP stands on the
# function's own address; for a function no provider of Terraform can switch that on, so
# `make deploy` does (decision record 0043).

locals {
  balanced = var.domain != ""
}

resource "google_iap_web_cloud_run_service_iam_member" "opens" {
  for_each = local.balanced ? [] : var.people

  project                = var.project
  location               = var.region
  cloud_run_service_name = var.service
  role                   = "roles/iap.httpsResourceAccessor"
  member                 = each.value
}

resource "google_iap_web_backend_service_iam_member" "opens" {
  for_each = local.balanced ? var.people : []

  project             = var.project
  web_backend_service = google_compute_backend_service.page[0].name
  role                = "roles/iap.httpsResourceAccessor"
  member              = each.value
}

resource "google_compute_global_address" "page" {
  count = local.balanced ? 1 : 0

  project = var.project
  name    = var.name
}

resource "google_compute_managed_ssl_certificate" "page" {
  count = local.balanced ? 1 : 0

  project = var.project
  name    = "${var.name}-${substr(sha256(var.domain), 0, 8)}" # another domain is another certificate

  managed {
    domains = [var.domain]
  }

  lifecycle {
    create_before_destroy = true
  }
}

# Names the function instead of referring to it: the function's audience is the backend below.
resource "google_compute_region_network_endpoint_group" "page" {
  count = local.balanced ? 1 : 0

  project               = var.project
  region                = var.region
  name                  = var.name
  network_endpoint_type = "SERVERLESS"

  cloud_run {
    service = var.name
  }
}

# Without a client of one's own IAP uses Google's, for the people of the project's organization.
resource "google_compute_backend_service" "page" {
  count = local.balanced ? 1 : 0

  project               = var.project
  name                  = var.name
  protocol              = "HTTPS"
  load_balancing_scheme = "EXTERNAL_MANAGED"

  backend {
    group = google_compute_region_network_endpoint_group.page[0].id
  }

  iap {
    enabled = true
  }

  log_config {
    enable = false # a search names a person in its address
  }
}

resource "google_compute_url_map" "page" {
  count = local.balanced ? 1 : 0

  project         = var.project
  name            = var.name
  default_service = google_compute_backend_service.page[0].id
}

resource "google_compute_ssl_policy" "page" {
  count = local.balanced ? 1 : 0

  project         = var.project
  name            = var.name
  profile         = "MODERN"
  min_tls_version = "TLS_1_2"
}

resource "google_compute_target_https_proxy" "page" {
  count = local.balanced ? 1 : 0

  project          = var.project
  name             = var.name
  url_map          = google_compute_url_map.page[0].id
  ssl_certificates = [google_compute_managed_ssl_certificate.page[0].id]
  ssl_policy       = google_compute_ssl_policy.page[0].id
}

# No listener on port 80: whoever types the address without https:// is told so by the browser.
resource "google_compute_global_forwarding_rule" "page" {
  count = local.balanced ? 1 : 0

  project               = var.project
  name                  = var.name
  ip_address            = google_compute_global_address.page[0].id
  port_range            = "443"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  target                = google_compute_target_https_proxy.page[0].id
}
