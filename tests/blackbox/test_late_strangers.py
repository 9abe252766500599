"""Late's own clients call every operation they have: `late-sdk` 1.2.73 from PyPI and `@getlatedev/node` 0.1.58 from npm.

Only the base URL is theirs to change. What the Python client cannot do by itself is here too: it has no PATCH, and drops the
bodies of three DELETEs. (The Rust client's story is among the dialect's own tests.)
"""

import datetime
import itertools
import json
import subprocess

import pytest
from late import Late
from late.client.exceptions import LateAPIError, LateAuthenticationError, LateNotFoundError
from late.resources._generated.whatsapp import WhatsappResource
from late.resources._generated.whatsapp_phone_numbers import WhatsappPhoneNumbersResource
from programs import ROOT, Platform, until

STRANGERS = ROOT / ".cache" / "strangers"
people = (f"+1555783{n:04}" for n in itertools.count(1))
HELLO = {"name": "hello_world", "language": "en_US"}


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    with Platform(tmp_path_factory.mktemp("late-strangers") / "data", "--sandbox") as platform:
        yield platform


@pytest.fixture(params=["/api", ""], scope="module")
def python(platform, request):
    client = Late(platform.late.key, base_url=platform.url + request.param)
    return client, WhatsappResource(client), WhatsappPhoneNumbersResource(client)


def test_python_keeps_people(platform, python):
    client, whatsapp, _ = python
    account, ann, bob = platform.late.account, next(people), next(people)
    made = whatsapp.create_whats_app_contact(account, ann, "Ann", email="ann@example.com", tags=["a"], groups=["VIP"], custom_fields={"size": "M"})
    id = made["contact"]["id"]
    assert client.rate_limit_info["limit"] and client.rate_limit_info["reset"]
    with pytest.raises(LateAPIError) as refused:
        whatsapp.create_whats_app_contact(account, ann, "Ann")
    assert refused.value.status_code == 409
    assert whatsapp.get_whats_app_contact(id)["contact"]["groups"] == ["VIP"]
    assert whatsapp.update_whats_app_contact(id, name="Anna", is_opted_in=False)["contact"]["isOptedIn"] is False
    listed = whatsapp.get_whats_app_contacts(account, search=ann, opted_in="false")
    assert [it["name"] for it in listed["contacts"]] == ["Anna"] and listed["pagination"]["total"] == 1
    rows = [{"phone": bob, "name": "Bob"}, {"phone": ann, "name": "Ann"}, {"phone": "?", "name": "?"}]
    summary = whatsapp.import_whats_app_contacts(account, rows, default_tags=["imported"])["summary"]
    assert summary == {"total": 3, "created": 1, "skipped": 1, "failed": 1}
    assert whatsapp.bulk_update_whats_app_contacts("optIn", [id])["modified"] == 1
    assert any(it["name"] == "VIP" for it in whatsapp.get_whats_app_groups(account)["groups"])
    assert whatsapp.rename_whats_app_group(account, "VIP", "Best")["modified"] >= 1
    # It does not say what is to be deleted: that can be answered only by a refusal that says so.
    for silent in (lambda: whatsapp.delete_whats_app_group(account, "Best"), lambda: whatsapp.bulk_delete_whats_app_contacts([id])):
        with pytest.raises(LateAPIError) as refused:
            silent()
        assert refused.value.status_code == 400 and "is required" in str(refused.value)
    whatsapp.delete_whats_app_contact(id)
    with pytest.raises(LateNotFoundError, match="Not found"):
        whatsapp.get_whats_app_contact(id)
    with pytest.raises(LateAuthenticationError):
        WhatsappResource(Late("sk_other", base_url=platform.url)).get_whats_app_groups(account)


def test_python_sends(platform, python):
    _, whatsapp, _ = python
    account, ann, bob = platform.late.account, next(people), next(people)
    order = {"name": "order_update", "language": "en"}
    sent = whatsapp.send_whats_app_bulk(account, [{"phone": ann, "variables": {"1": "A-1", "2": "today"}}], order)
    assert sent["summary"] == {"total": 1, "sent": 1, "failed": 0}
    shown = until(lambda: platform.outside.screen(ann), what="the message on the phone")
    assert "A-1" in shown[0]["text"]["body"] and "today" in shown[0]["text"]["body"]
    id = whatsapp.create_whats_app_broadcast(account, "Spring", HELLO, recipients=[{"phone": ann}, {"phone": bob}])["broadcast"]["id"]
    soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
    assert whatsapp.schedule_whats_app_broadcast(id, soon)["broadcast"]["status"] == "scheduled"
    assert whatsapp.cancel_whats_app_broadcast_schedule(id)["broadcast"]["status"] == "draft"
    done = whatsapp.send_whats_app_broadcast(id)
    assert (done["status"], done["sent"], done["failed"], done["total"]) == ("completed", 2, 0, 2)
    until(lambda: whatsapp.get_whats_app_broadcast(id)["broadcast"]["deliveredCount"] == 2, what="both deliveries")
    assert [it["id"] for it in whatsapp.get_whats_app_broadcasts(account, status="completed")["broadcasts"]][0] == id
    assert whatsapp.get_whats_app_broadcast_recipients(id)["summary"]["total"] == 2
    draft = whatsapp.create_whats_app_broadcast(account, "Summer", HELLO)["broadcast"]["id"]
    whatsapp.delete_whats_app_broadcast(draft)


def test_python_reads_the_rest(platform, python):
    _, whatsapp, numbers = python
    account, name = platform.late.account, f"made_{next(people)[1:]}"
    whatsapp.create_whats_app_template(account, name, "UTILITY", "en", [{"type": "BODY", "text": "Your parcel has arrived."}])
    assert whatsapp.get_whats_app_template(name, account)["template"]["name"] == name
    assert len(whatsapp.get_whats_app_templates(account)["templates"]) >= 4
    whatsapp.delete_whats_app_template(name, account)
    whatsapp.update_whats_app_business_profile(account, about="Tea", websites=["https://tea.example/"])
    assert whatsapp.get_whats_app_business_profile(account)["businessProfile"]["about"] == "Tea"
    assert "numbers" in numbers.get_whats_app_phone_numbers()
    assert "numbers" in numbers.get_preverified_whats_app_numbers(platform.late.profile)
    with pytest.raises(LateNotFoundError):
        numbers.get_whats_app_phone_number("0" * 24)


def test_python_buys_a_number_and_sends_from_it(platform, python):
    _, whatsapp, numbers = python
    # The other root's client may have bought one a moment ago.
    bought = platform.late.post("/whatsapp/phone-numbers/purchase", profileId=platform.late.profile, allowMultiple=True)["phoneNumber"]
    with pytest.raises(LateAPIError) as refused:
        numbers.purchase_whats_app_phone_number(platform.late.profile)
    assert refused.value.status_code == 409
    assert numbers.search_available_whats_app_numbers(prefix="212", limit=5)["numbers"]
    shown = until(lambda: found if (found := numbers.get_whats_app_phone_number(bought["id"])["phoneNumber"])["status"] == "active" else None, what="the number")
    assert (shown["phoneNumber"], shown["metaVerificationStatus"]) == (bought["phoneNumber"], "VERIFIED")
    assert bought["id"] in [it["_id"] for it in numbers.get_whats_app_phone_numbers(status="active")["numbers"]]
    assert "expires" in str(numbers.verify_whats_app_phone_number(bought["id"], "123456")).lower(), "done already"
    ann = next(people)
    sent = whatsapp.send_whats_app_bulk(shown["accountId"], [{"phone": ann}], HELLO)
    assert sent["summary"]["sent"] == 1, sent
    assert until(lambda: platform.outside.screen(ann), what="the message on the phone")[0]["from"].lstrip("+") == bought["phoneNumber"].lstrip("+")
    assert numbers.release_whats_app_phone_number(bought["id"])["phoneNumber"]["status"] in ("releasing", "released")
    until(lambda: bought["id"] not in [it["_id"] for it in numbers.get_whats_app_phone_numbers()["numbers"]], what="the release")
    with pytest.raises(LateAPIError) as refused:
        numbers.release_whats_app_phone_number(bought["id"])
    assert refused.value.status_code == 400


def node(platform, root, calls):
    """What each call of the client came to: its data, or its error's status and words."""
    done = subprocess.run(["node", ROOT / "tests/blackbox/strangers/late.mjs", platform.url + root, platform.late.key],
                          input=json.dumps(calls), capture_output=True, text=True, timeout=120, env={"STRANGERS": str(STRANGERS), "PATH": "/usr/bin:/bin:/usr/local/bin"})
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("root", ["/api", ""])
def test_node_calls_everything(platform, root):
    account, ann, bob, name = platform.late.account, next(people), next(people), f"made_{next(people)[1:]}"
    query = {"accountId": account}
    body = lambda **more: {"body": {"accountId": account, **more}}
    nobody = {"path": {"phoneNumberId": "0" * 24}}
    first = node(platform, root, [
        ["createWhatsAppContact", body(phone=ann, name="Ann", groups=["VIP"])],
        ["createWhatsAppBroadcast", body(name="Spring", template=HELLO, recipients=[{"phone": ann}])],
        ["createWhatsAppTemplate", body(name=name, category="UTILITY", language="en", components=[{"type": "BODY", "text": "Your parcel has arrived."}])],
    ])
    contact, broadcast = first[0]["data"]["contact"]["id"], first[1]["data"]["broadcast"]["id"]
    of_contact, of_broadcast, of_template = {"path": {"contactId": contact}}, {"path": {"broadcastId": broadcast}}, {"path": {"templateName": name}}
    soon = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)).isoformat()
    calls = [
        ["getWhatsAppContacts", {"query": {**query, "search": ann, "optedIn": "true"}}],
        ["getWhatsAppContact", of_contact],
        ["updateWhatsAppContact", {**of_contact, "body": {"name": "Anna", "customFields": {"size": "M"}}}],
        ["importWhatsAppContacts", body(contacts=[{"phone": bob, "name": "Bob"}])],
        ["bulkUpdateWhatsAppContacts", {"body": {"action": "addTags", "contactIds": [contact], "tags": ["a"]}}],
        ["getWhatsAppGroups", {"query": query}],
        ["renameWhatsAppGroup", body(oldName="VIP", newName="Best")],
        ["deleteWhatsAppGroup", body(groupName="Best")],
        ["sendWhatsAppBulk", body(recipients=[{"phone": ann}], template=HELLO)],
        ["addWhatsAppBroadcastRecipients", {**of_broadcast, "body": {"recipients": [{"phone": bob}, {"phone": "+15557839999"}]}}],
        ["removeWhatsAppBroadcastRecipients", {**of_broadcast, "body": {"phones": ["+15557839999"]}}],
        ["scheduleWhatsAppBroadcast", {**of_broadcast, "body": {"scheduledAt": soon}}],
        ["cancelWhatsAppBroadcastSchedule", of_broadcast],
        ["sendWhatsAppBroadcast", of_broadcast],
        ["getWhatsAppBroadcast", of_broadcast],
        ["getWhatsAppBroadcasts", {"query": query}],
        ["getWhatsAppBroadcastRecipients", of_broadcast],
        ["getWhatsAppTemplates", {"query": query}],
        ["getWhatsAppTemplate", {**of_template, "query": query}],
        ["deleteWhatsAppTemplate", {**of_template, "query": query}],
        ["updateWhatsAppBusinessProfile", body(about="Coffee")],
        ["getWhatsAppBusinessProfile", {"query": query}],
        ["getWhatsAppDisplayName", {"query": query}],
        ["updateWhatsAppDisplayName", body(displayName="Tea and Coffee")],
        ["uploadWhatsAppProfilePhoto", body(file="photo")],
        ["getWhatsAppPhoneNumbers", {}],
        ["bulkDeleteWhatsAppContacts", {"body": {"contactIds": [contact]}}],
    ]
    answers = dict(zip((call for call, _ in calls), node(platform, root, calls)))
    wrong = {call: answer for call, answer in answers.items() if "data" not in answer}
    assert not wrong, wrong
    assert answers["sendWhatsAppBroadcast"]["data"]["status"] == "completed" and answers["sendWhatsAppBroadcast"]["data"]["sent"] == 2
    assert answers["getWhatsAppBusinessProfile"]["data"]["businessProfile"]["about"] == "Coffee"
    assert answers["getWhatsAppDisplayName"]["data"]["displayName"]["phoneNumber"].startswith("+")
    refusals = node(platform, root, [
        ["getWhatsAppContact", of_contact], ["createWhatsAppContact", body(phone="?", name="x")], ["getWhatsAppPhoneNumber", nobody],
        ["deleteWhatsAppBroadcast", of_broadcast], ["releaseWhatsAppPhoneNumber", nobody],
    ])
    assert [it["error"]["statusCode"] for it in refusals] == [404, 400, 404, 400, 404]
    assert all(isinstance(it["error"]["message"], str) and "[object" not in it["error"]["message"] for it in refusals)
