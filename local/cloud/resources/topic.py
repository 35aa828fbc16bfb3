"""SNS topics and subscriptions."""

from __future__ import annotations

from typing import Any

from local.cloud.resources.resource_type import (
    Created,
    Location,
    Properties,
    ResourceType,
    as_list,
    as_map,
    get_or_none,
    has_changed,
    update_tags,
)
from ring.arn import Arn

_MISSING = ("NotFound", "NotFoundException")
_KEY = "kmsMasterKeyId"


class Topic(ResourceType):
    """aws:sns/topic:Topic. Its id is its ARN.

    https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/sns/topic.go
    """

    force_new = frozenset({"name", "namePrefix", "fifoTopic"})
    max_name_length = 80

    def create(self, inputs: Properties, location: Location) -> Created:
        """Make the topic."""
        key = inputs.get(_KEY)
        created = location.clients.sns(location.region).create_topic(
            Name=inputs["name"],
            Tags=location.tag_list(inputs),
            Attributes={"KmsMasterKeyId": key} if key else {},
        )
        return Created(created["TopicArn"], {"arn": created["TopicArn"]})

    def read(self, id_: str, location: Location) -> Properties | None:
        """Look whether the topic is there, and at its tags."""
        client = location.clients.sns(location.region)
        answer: Any = get_or_none(lambda: client.get_topic_attributes(TopicArn=id_), *_MISSING)
        if answer is None:
            return None
        key = answer["Attributes"].get("KmsMasterKeyId")
        tags = client.list_tags_for_resource(ResourceArn=id_)["Tags"]
        return {
            "name": Arn.parse(id_).resource,
            "arn": id_,
            **({_KEY: key} if key else {}),
            "tagsAll": as_map(tags),
        }

    def update(self, id_: str, old: Properties, new: Properties, location: Location) -> None:
        """Change its key and its tags: nothing else of it can be said here."""
        client = location.clients.sns(location.region)
        if has_changed(old, new, _KEY):
            client.set_topic_attributes(
                TopicArn=id_, AttributeName="KmsMasterKeyId", AttributeValue=new.get(_KEY, "")
            )
        update_tags(
            as_map(client.list_tags_for_resource(ResourceArn=id_)["Tags"]),
            location.tags(new),
            lambda keys: client.untag_resource(ResourceArn=id_, TagKeys=keys),
            lambda tags: client.tag_resource(ResourceArn=id_, Tags=as_list(tags)),
        )

    def delete(self, id_: str, location: Location) -> None:
        """Delete the topic with its subscriptions."""
        location.clients.sns(location.region).delete_topic(TopicArn=id_)


class TopicSubscription(ResourceType):
    """aws:sns/topicSubscription:TopicSubscription. Its id is its ARN.

    An e-mail subscription stays pending, because nobody confirms it. It cannot be unsubscribed: the
    provider drops it from its state, and AWS deletes it after three days.
    https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/sns/topic_subscription.go
    """

    name = None
    force_new = frozenset({"endpoint", "protocol", "topic"})
    computed = frozenset({"arn", "pendingConfirmation"})
    tagged = False

    def create(self, inputs: Properties, location: Location) -> Created:
        """Subscribe."""
        created = location.clients.sns(location.region).subscribe(
            TopicArn=inputs["topic"],
            Protocol=inputs["protocol"],
            Endpoint=inputs["endpoint"],
            ReturnSubscriptionArn=True,
        )
        arn = created["SubscriptionArn"]
        return Created(arn, {"arn": arn, "pendingConfirmation": _is_pending(inputs["protocol"])})

    def read(self, id_: str, location: Location) -> Properties | None:
        """Read the subscription's attributes."""
        client = location.clients.sns(location.region)
        response: Any = get_or_none(
            lambda: client.get_subscription_attributes(SubscriptionArn=id_), *_MISSING
        )
        if response is None:
            return None
        attributes = response["Attributes"]
        return {
            "arn": id_,
            "topic": attributes["TopicArn"],
            "protocol": attributes["Protocol"],
            "endpoint": attributes["Endpoint"],
            "pendingConfirmation": _is_pending(attributes["Protocol"]),
        }

    def update(self, id_: str, old: Properties, new: Properties, location: Location) -> None:
        """Do nothing: every supported property is `force_new`."""

    def delete(self, id_: str, location: Location) -> None:
        """Unsubscribe, unless it is pending."""
        seen = self.read(id_, location)
        if seen is None or seen["pendingConfirmation"]:
            return
        location.clients.sns(location.region).unsubscribe(SubscriptionArn=id_)


def _is_pending(protocol: str) -> bool:
    return protocol in ("email", "email-json")
