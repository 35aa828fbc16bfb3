"""CloudWatch dashboards."""

from __future__ import annotations

from typing import Any

from local.cloud.resources.resource_type import (
    Created,
    Location,
    Properties,
    ResourceType,
    get_or_none,
)

_MISSING = ("ResourceNotFound", "ResourceNotFoundException")


class Dashboard(ResourceType):
    """aws:cloudwatch/dashboard:Dashboard. Its id is its name.

    https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/cloudwatch/dashboard.go
    """

    name = None  # required: the provider does not generate one
    force_new = frozenset({"dashboardName"})
    computed = frozenset({"dashboardArn"})
    json_documents = frozenset({"dashboardBody"})
    tagged = False

    def create(self, inputs: Properties, location: Location) -> Created:
        """Create the dashboard. PutDashboard replaces one of the same name."""
        name = inputs["dashboardName"]
        self.update(name, {}, inputs, location)
        seen = self.read(name, location)
        assert seen
        return Created(name, {"dashboardArn": seen["dashboardArn"]})

    def read(self, id_: str, location: Location) -> Properties | None:
        """Get the dashboard."""
        client = location.clients.cloudwatch(location.region)
        response: Any = get_or_none(lambda: client.get_dashboard(DashboardName=id_), *_MISSING)
        if response is None:
            return None
        return {
            "dashboardName": id_,
            "dashboardArn": response["DashboardArn"],
            "dashboardBody": response["DashboardBody"],
        }

    def update(self, id_: str, old: Properties, new: Properties, location: Location) -> None:
        """Put the dashboard again."""
        location.clients.cloudwatch(location.region).put_dashboard(
            DashboardName=id_, DashboardBody=new["dashboardBody"]
        )

    def delete(self, id_: str, location: Location) -> None:
        """Delete the dashboard."""
        client = location.clients.cloudwatch(location.region)
        get_or_none(lambda: client.delete_dashboards(DashboardNames=[id_]), *_MISSING)
