"""Turn what the Pulumi program declares into real resources, over boto3."""
