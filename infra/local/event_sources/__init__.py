"""The queues, the schedule and the bucket, which call their functions as AWS would."""
