"""What only ``warmlead model check`` needs: faults and warnings, each with its place."""
