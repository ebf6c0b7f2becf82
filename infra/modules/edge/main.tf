# A load balancer with a domain and limits of rate: /forms/… goes to the function forms, and so on.

resource "google_compute_global_address" "edge" {
  project = var.project
  name    = "${var.prefix}-edge"
}

resource "google_compute_managed_ssl_certificate" "edge" {
  project = var.project
  name    = "${var.prefix}-${substr(sha256(var.domain), 0, 8)}" # another domain is another certificate

  managed {
    domains = [var.domain]
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "google_compute_region_network_endpoint_group" "function" {
  for_each = var.services

  project               = var.project
  region                = var.region
  name                  = "${var.prefix}-${each.key}"
  network_endpoint_type = "SERVERLESS"

  cloud_run {
    service = each.value
  }
}

resource "google_compute_backend_service" "function" {
  for_each = var.services

  project               = var.project
  name                  = "${var.prefix}-${each.key}"
  protocol              = "HTTPS"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  security_policy       = google_compute_security_policy.limits.id

  backend {
    group = google_compute_region_network_endpoint_group.function[each.key].id
  }

  log_config {
    enable = false # a request's address may hold an event
  }
}

resource "google_compute_security_policy" "limits" {
  project     = var.project
  name        = "${var.prefix}-limits"
  description = "Limits of rate for each key and each address."

  # Tracking clients name their key in this header; browsers of one office share an address.
  rule {
    priority    = 1000
    action      = "throttle"
    description = "Requests a minute for each key and address."

    match {
      expr {
        expression = "request.path.startsWith('/track/')"
      }
    }

    rate_limit_options {
      conform_action = "allow"
      exceed_action  = "deny(429)"

      enforce_on_key_configs {
        enforce_on_key_type = "HTTP_HEADER"
        enforce_on_key_name = "Authorization"
      }

      enforce_on_key_configs {
        enforce_on_key_type = "IP"
      }

      rate_limit_threshold {
        count        = var.requests_a_minute
        interval_sec = 60
      }
    }
  }

  # Tools post from a few addresses: all customers of a tool share them.
  rule {
    priority    = 2000
    action      = "throttle"
    description = "Requests a minute for each address of a tool."

    match {
      versioned_expr = "SRC_IPS_V1"
      config {
        src_ip_ranges = ["*"]
      }
    }

    rate_limit_options {
      conform_action = "allow"
      exceed_action  = "deny(429)"
      enforce_on_key = "IP"

      rate_limit_threshold {
        count        = 10 * var.requests_a_minute
        interval_sec = 60
      }
    }
  }

  rule {
    priority    = 2147483647
    action      = "allow"
    description = "The rule that every policy has."

    match {
      versioned_expr = "SRC_IPS_V1"
      config {
        src_ip_ranges = ["*"]
      }
    }
  }
}

resource "google_compute_url_map" "edge" {
  project         = var.project
  name            = "${var.prefix}-edge"
  default_service = google_compute_backend_service.function[var.default].id # answers 404 as JSON

  host_rule {
    hosts        = [var.domain]
    path_matcher = "functions"
  }

  path_matcher {
    name            = "functions"
    default_service = google_compute_backend_service.function[var.default].id

    dynamic "path_rule" {
      for_each = var.services

      content {
        paths   = ["/${path_rule.key}", "/${path_rule.key}/*"]
        service = google_compute_backend_service.function[path_rule.key].id
      }
    }
  }
}

resource "google_compute_target_https_proxy" "edge" {
  project          = var.project
  name             = "${var.prefix}-edge"
  url_map          = google_compute_url_map.edge.id
  ssl_certificates = [google_compute_managed_ssl_certificate.edge.id]
  ssl_policy       = google_compute_ssl_policy.modern.id
}

resource "google_compute_ssl_policy" "modern" {
  project         = var.project
  name            = "${var.prefix}-modern"
  profile         = "MODERN"
  min_tls_version = "TLS_1_2"
}

# No listener on port 80: a secret in a header must never travel in the clear, not even once.
resource "google_compute_global_forwarding_rule" "edge" {
  project               = var.project
  name                  = "${var.prefix}-edge"
  ip_address            = google_compute_global_address.edge.id
  port_range            = "443"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  target                = google_compute_target_https_proxy.edge.id
}
