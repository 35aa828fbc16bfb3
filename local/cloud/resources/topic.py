"""Topics, and who is told of what is published to them."""

from __future__ import annotations

from typing import Any

from local.cloud.resources.resource_type import (
    Created,
    Location,
    Properties,
    ResourceType,
    as_list,
    as_map,
    changed,
    found,
    retag,
)
from ring.arn import Arn

_MISSING = ("NotFound", "NotFoundException")
_KEY = "kmsMasterKeyId"


class Topic(ResourceType):
    """aws:sns/topic:Topic. Its id is its ARN.

    https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/sns/topic.go
    """

    fixed = frozenset({"name", "namePrefix", "fifoTopic"})
    longest = 80

    def create(self, inputs: Properties, place: Location) -> Created:
        """Make the topic."""
        key = inputs.get(_KEY)
        made = place.clients.sns(place.region).create_topic(
            Name=inputs["name"],
            Tags=place.tag_list(inputs),
            Attributes={"KmsMasterKeyId": key} if key else {},
        )
        return Created(made["TopicArn"], {"arn": made["TopicArn"]})

    def read(self, id_: str, place: Location) -> Properties | None:
        """Look whether the topic is there, and at its tags."""
        client = place.clients.sns(place.region)
        answer: Any = found(lambda: client.get_topic_attributes(TopicArn=id_), *_MISSING)
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

    def update(self, id_: str, old: Properties, new: Properties, place: Location) -> None:
        """Change its key and its tags: nothing else of it can be said here."""
        client = place.clients.sns(place.region)
        if changed(old, new, _KEY):
            client.set_topic_attributes(
                TopicArn=id_, AttributeName="KmsMasterKeyId", AttributeValue=new.get(_KEY, "")
            )
        retag(
            as_map(client.list_tags_for_resource(ResourceArn=id_)["Tags"]),
            place.tags(new),
            lambda gone: client.untag_resource(ResourceArn=id_, TagKeys=gone),
            lambda put: client.tag_resource(ResourceArn=id_, Tags=as_list(put)),
        )

    def delete(self, id_: str, place: Location) -> None:
        """Delete the topic, and with it who is subscribed."""
        place.clients.sns(place.region).delete_topic(TopicArn=id_)


class TopicSubscription(ResourceType):
    """aws:sns/topicSubscription:TopicSubscription. Its id is its ARN.

    One of an address is pending, and nobody here confirms it. It cannot be unsubscribed: the
    provider lets go of it, and AWS deletes it after three days.
    https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/sns/topic_subscription.go
    """

    name = None
    fixed = frozenset({"endpoint", "protocol", "topic"})
    computed = frozenset({"arn", "pendingConfirmation"})
    tagged = False

    def create(self, inputs: Properties, place: Location) -> Created:
        """Subscribe."""
        made = place.clients.sns(place.region).subscribe(
            TopicArn=inputs["topic"],
            Protocol=inputs["protocol"],
            Endpoint=inputs["endpoint"],
            ReturnSubscriptionArn=True,
        )
        arn = made["SubscriptionArn"]
        return Created(arn, {"arn": arn, "pendingConfirmation": _is_pending(inputs["protocol"])})

    def read(self, id_: str, place: Location) -> Properties | None:
        """Look the subscription up."""
        client = place.clients.sns(place.region)
        answer: Any = found(
            lambda: client.get_subscription_attributes(SubscriptionArn=id_), *_MISSING
        )
        if answer is None:
            return None
        told = answer["Attributes"]
        return {
            "arn": id_,
            "topic": told["TopicArn"],
            "protocol": told["Protocol"],
            "endpoint": told["Endpoint"],
            "pendingConfirmation": _is_pending(told["Protocol"]),
        }

    def update(self, id_: str, old: Properties, new: Properties, place: Location) -> None:
        """Nothing of it can be changed here."""

    def delete(self, id_: str, place: Location) -> None:
        """Unsubscribe, where it is not pending."""
        seen = self.read(id_, place)
        if seen is None or seen["pendingConfirmation"]:
            return
        place.clients.sns(place.region).unsubscribe(SubscriptionArn=id_)


def _is_pending(protocol: str) -> bool:
    return protocol in ("email", "email-json")
