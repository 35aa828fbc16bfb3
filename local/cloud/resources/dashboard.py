"""CloudWatch's dashboards."""

from __future__ import annotations

from typing import Any

from local.cloud.resources.resource_type import Created, Location, Properties, ResourceType, found

_MISSING = ("ResourceNotFound", "ResourceNotFoundException")


class Dashboard(ResourceType):
    """aws:cloudwatch/dashboard:Dashboard. Its id is its name.

    https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/cloudwatch/dashboard.go
    """

    name = None  # the provider makes none up: somebody has to say it
    fixed = frozenset({"dashboardName"})
    computed = frozenset({"dashboardArn"})
    documents = frozenset({"dashboardBody"})
    tagged = False

    def create(self, inputs: Properties, place: Location) -> Created:
        """Make the dashboard. AWS puts one of this name in the place of another's."""
        name = inputs["dashboardName"]
        self.update(name, {}, inputs, place)
        seen = self.read(name, place)
        assert seen
        return Created(name, {"dashboardArn": seen["dashboardArn"]})

    def read(self, id_: str, place: Location) -> Properties | None:
        """Look the dashboard up."""
        client = place.clients.cloudwatch(place.region)
        told: Any = found(lambda: client.get_dashboard(DashboardName=id_), *_MISSING)
        if told is None:
            return None
        return {
            "dashboardName": id_,
            "dashboardArn": told["DashboardArn"],
            "dashboardBody": told["DashboardBody"],
        }

    def update(self, id_: str, old: Properties, new: Properties, place: Location) -> None:
        """Write the dashboard again."""
        place.clients.cloudwatch(place.region).put_dashboard(
            DashboardName=id_, DashboardBody=new["dashboardBody"]
        )

    def delete(self, id_: str, place: Location) -> None:
        """Delete the dashboard."""
        client = place.clients.cloudwatch(place.region)
        found(lambda: client.delete_dashboards(DashboardNames=[id_]), *_MISSING)
