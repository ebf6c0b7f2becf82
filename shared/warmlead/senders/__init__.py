"""One package a sender, and modules that senders share. No sender imports another."""
