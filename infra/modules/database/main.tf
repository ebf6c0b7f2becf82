# Firestore: the database, the indexes that the queries need, and the fields that have none.
# `firestore.indexes.json` is the only list of both; Firebase's command line reads it too.

locals {
  file = jsondecode(file("${path.module}/../../firestore.indexes.json"))

  indexes = {
    for each in local.file.indexes :
    join("-", concat([each.collectionGroup], [for field in each.fields : field.fieldPath])) => each
  }

  exempt = {
    for each in local.file.fieldOverrides : "${each.collectionGroup}-${each.fieldPath}" => each
  }

  # With create = false the database is one that the project has.
  database = one(google_firestore_database.leads[*].name) == null ? var.database : google_firestore_database.leads[0].name
}

resource "google_firestore_database" "leads" {
  count = var.create ? 1 : 0

  project                           = var.project
  name                              = var.database
  location_id                       = var.location
  type                              = "FIRESTORE_NATIVE"
  delete_protection_state           = var.protect ? "DELETE_PROTECTION_ENABLED" : "DELETE_PROTECTION_DISABLED"
  point_in_time_recovery_enablement = var.protect ? "POINT_IN_TIME_RECOVERY_ENABLED" : "POINT_IN_TIME_RECOVERY_DISABLED"
  deletion_policy                   = var.protect ? "ABANDON" : "DELETE"
}

resource "google_firestore_backup_schedule" "daily" {
  project   = var.project
  database  = local.database
  retention = "${var.backup_days * 86400}s"

  daily_recurrence {}
}

resource "google_firestore_index" "query" {
  for_each = local.indexes

  project     = var.project
  database    = local.database
  collection  = each.value.collectionGroup
  query_scope = each.value.queryScope

  dynamic "fields" {
    for_each = each.value.fields

    content {
      field_path = fields.value.fieldPath
      order      = fields.value.order
    }
  }
}

# An empty index_config means: no index of this field alone.
resource "google_firestore_field" "exempt" {
  for_each = local.exempt

  project    = var.project
  database   = local.database
  collection = each.value.collectionGroup
  field      = each.value.fieldPath

  index_config {
    dynamic "indexes" {
      for_each = each.value.indexes

      content {
        order        = lookup(indexes.value, "order", null)
        array_config = lookup(indexes.value, "arrayConfig", null)
        query_scope  = lookup(indexes.value, "queryScope", "COLLECTION")
      }
    }
  }
}
