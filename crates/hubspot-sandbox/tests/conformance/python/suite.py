"""HubSpot's Python SDK, unmodified but for the base URL, against the sandbox."""

import itertools
import json
import os
import re
import tempfile
import unittest

from hubspot.crm import contacts, objects, pipelines, properties, schemas
from hubspot.crm.associations import v4 as associations
from hubspot.crm.associations.v4 import schema as labels

from sandbox import Sandbox

NUMBERS = itertools.count(1)


def setUpModule():
    global sandbox, hubspot, crm
    sandbox = Sandbox("--no-limits").__enter__()
    unittest.addModuleCleanup(sandbox.__exit__)
    hubspot = sandbox.client()
    crm = hubspot.crm


def address(name="reader"):
    """An address that no other test uses."""
    return f"{name}{next(NUMBERS)}@example.com"


def new_contact(**values):
    values.setdefault("email", address())
    return crm.contacts.basic_api.create(contacts.SimplePublicObjectInputForCreate(properties=values))


def new_object(object_type, **values):
    body = objects.SimplePublicObjectInputForCreate(properties=values)
    return crm.objects.basic_api.create(object_type, body)


def trace(number):
    return f"trace-{number}"


class Case(unittest.TestCase):
    def refused(self, status, call, *arguments, module=contacts, **keywords):
        """Calls and returns the decoded error body of the expected status."""
        with self.assertRaises(module.exceptions.ApiException) as caught:
            call(*arguments, **keywords)
        self.assertEqual(caught.exception.status, status, caught.exception.body)
        self.headers = caught.exception.headers
        return json.loads(caught.exception.body) if caught.exception.body else {}


class Records(Case):
    def test_created_record_is_read_back(self):
        email = address("Mixed.Case")
        made = new_contact(email=email, firstname="Ada", lastname="Lovelace")
        self.assertRegex(made.id, r"^\d+$")
        self.assertFalse(made.archived)
        read = crm.contacts.basic_api.get_by_id(made.id, properties=["email", "firstname", "phone"])
        self.assertEqual(read.id, made.id)
        self.assertEqual(read.properties["email"], email.lower())
        self.assertEqual(read.properties["firstname"], "Ada")
        self.assertIsNone(read.properties["phone"])
        self.assertEqual(read.properties["hs_object_id"], made.id)
        self.assertEqual(read.created_at, made.created_at)
        self.assertNotIn("lastname", read.properties)

    def test_get_by_email(self):
        email = address()
        made = new_contact(email=email)
        self.assertEqual(crm.contacts.basic_api.get_by_id(email, id_property="email").id, made.id)

    def test_update_changes_only_what_is_named(self):
        made = new_contact(firstname="Ada", lastname="Byron")
        body = contacts.SimplePublicObjectInput(properties={"lastname": "Lovelace"})
        updated = crm.contacts.basic_api.update(made.id, body)
        self.assertEqual(updated.properties["lastname"], "Lovelace")
        read = crm.contacts.basic_api.get_by_id(made.id, properties=["firstname", "lastname"])
        self.assertEqual((read.properties["firstname"], read.properties["lastname"]), ("Ada", "Lovelace"))
        self.assertGreaterEqual(read.updated_at, made.updated_at)

    def test_history_is_newest_first(self):
        made = new_contact(firstname="One")
        crm.contacts.basic_api.update(made.id, contacts.SimplePublicObjectInput(properties={"firstname": "Two"}))
        read = crm.contacts.basic_api.get_by_id(made.id, properties_with_history=["firstname"])
        history = read.properties_with_history["firstname"]
        self.assertEqual([entry.value for entry in history], ["Two", "One"])
        self.assertEqual(history[0].source_type, "INTEGRATION")

    def test_archived_record_is_gone_until_asked_for(self):
        made = new_contact()
        self.assertIsNone(crm.contacts.basic_api.archive(made.id))
        self.refused(404, crm.contacts.basic_api.get_by_id, made.id)
        read = crm.contacts.basic_api.get_by_id(made.id, archived=True)
        self.assertTrue(read.archived)
        self.assertIsNotNone(read.archived_at)
        self.assertIsNone(crm.contacts.basic_api.archive(made.id), "archiving twice is no error")

    def test_pages_of_a_list_cover_every_record_once(self):
        made = {new_object("products", name=f"Product {number}", price=str(number)).id for number in range(7)}
        seen, after, pages = [], None, 0
        while True:
            page = crm.products.basic_api.get_page(limit=3, after=after, properties=["name"])
            seen += [record.id for record in page.results]
            pages += 1
            if page.paging is None:
                break
            after = page.paging.next.after
        self.assertEqual(len(seen), len(set(seen)))
        self.assertLessEqual(made, set(seen))
        self.assertGreaterEqual(pages, 3)
        self.assertLessEqual(made, {record.id for record in crm.products.get_all()})

    def test_create_with_association(self):
        company = new_object("companies", name="Analytical Engines", domain="engines.example")
        spec = contacts.AssociationSpec(association_category="HUBSPOT_DEFINED", association_type_id=279)
        link = contacts.PublicAssociationsForObject(to=contacts.PublicObjectId(id=company.id), types=[spec])
        body = contacts.SimplePublicObjectInputForCreate(properties={"email": address()}, associations=[link])
        made = crm.contacts.basic_api.create(body)
        read = crm.contacts.basic_api.get_by_id(made.id, associations=["companies"])
        self.assertIn(company.id, [entry.id for entry in read.associations["companies"].results])

    def test_merge_keeps_both_ids_readable(self):
        winner, loser = new_contact(firstname="Kept"), new_contact(phone="+41 44 555 01 22")
        body = contacts.PublicMergeInput(primary_object_id=winner.id, object_id_to_merge=loser.id)
        merged = crm.contacts.basic_api.merge(body)
        for number in (winner.id, loser.id):
            self.assertEqual(crm.contacts.basic_api.get_by_id(number).id, merged.id)
        read = crm.contacts.basic_api.get_by_id(merged.id, properties=["firstname", "hs_merged_object_ids"])
        self.assertEqual(read.properties["firstname"], "Kept")
        self.assertIn(loser.id, read.properties["hs_merged_object_ids"].split(";"))

    def test_gdpr_delete_leaves_nothing(self):
        email = address("forgotten")
        made = new_contact(email=email)
        body = contacts.PublicGdprDeleteInput(object_id=email, id_property="email")
        self.assertIsNone(crm.contacts.basic_api.purge(body))
        self.refused(404, crm.contacts.basic_api.get_by_id, made.id)
        self.refused(404, crm.contacts.basic_api.get_by_id, made.id, archived=True)

    def test_every_kind_of_record_is_made_by_name_and_by_type_id(self):
        moment = "2026-03-01T09:30:00.000Z"
        for name, type_id, values in [
            ("companies", "0-2", {"name": "Difference Engines"}),
            ("tickets", "0-5", {"subject": "Broken cog", "hs_pipeline_stage": "1"}),
            ("products", "0-7", {"name": "Cog"}),
            ("line_items", "0-8", {"name": "Cog", "quantity": "3", "price": "2.5"}),
            ("notes", "0-46", {"hs_timestamp": moment, "hs_note_body": "Called."}),
            ("tasks", "0-27", {"hs_timestamp": moment, "hs_task_subject": "Call back"}),
            ("calls", "0-48", {"hs_timestamp": moment, "hs_call_title": "First call"}),
            ("emails", "0-49", {"hs_timestamp": moment, "hs_email_direction": "EMAIL"}),
            ("meetings", "0-47", {"hs_timestamp": moment, "hs_meeting_title": "Visit"}),
        ]:
            with self.subTest(name):
                made = new_object(name, **values)
                read = crm.objects.basic_api.get_by_id(type_id, made.id, properties=list(values))
                for key, value in values.items():
                    self.assertEqual(read.properties[key], value)


class Batches(Case):
    def test_create_read_update_archive(self):
        emails = [address() for _ in range(3)]
        inputs = [contacts.SimplePublicObjectBatchInputForCreate(properties={"email": email}) for email in emails]
        body = contacts.BatchInputSimplePublicObjectBatchInputForCreate(inputs=inputs)
        made = crm.contacts.batch_api.create(body)
        self.assertEqual(made.status, "COMPLETE")
        self.assertEqual({record.properties["email"] for record in made.results}, set(emails))
        ids = [record.id for record in made.results]

        changes = [contacts.SimplePublicObjectBatchInput(id=number, properties={"city": "London"}) for number in ids]
        changed = crm.contacts.batch_api.update(contacts.BatchInputSimplePublicObjectBatchInput(inputs=changes))
        self.assertEqual({record.id for record in changed.results}, set(ids))

        wanted = [contacts.SimplePublicObjectId(id=email) for email in emails]
        body = contacts.BatchReadInputSimplePublicObjectId(
            inputs=wanted, properties=["city"], properties_with_history=[], id_property="email"
        )
        read = crm.contacts.batch_api.read(body)
        self.assertEqual([record.properties["city"] for record in read.results], ["London"] * 3)

        gone = contacts.BatchInputSimplePublicObjectId(inputs=[contacts.SimplePublicObjectId(id=n) for n in ids])
        self.assertIsNone(crm.contacts.batch_api.archive(gone))
        self.refused(404, crm.contacts.basic_api.get_by_id, ids[0])

    def test_upsert_says_what_is_new(self):
        known, unknown = address(), address()
        new_contact(email=known)
        inputs = [
            contacts.SimplePublicObjectBatchInputUpsert(id=email, id_property="email", properties={"city": "Turin"})
            for email in (known, unknown)
        ]
        answer = crm.contacts.batch_api.upsert(contacts.BatchInputSimplePublicObjectBatchInputUpsert(inputs=inputs))
        self.assertEqual({record.properties["email"]: record.new for record in answer.results}, {known: False, unknown: True})

    def test_missing_ids_of_a_read_are_answered_207(self):
        made = new_contact()
        wanted = [contacts.SimplePublicObjectId(id=number) for number in (made.id, "999")]
        body = contacts.BatchReadInputSimplePublicObjectId(inputs=wanted, properties=[], properties_with_history=[])
        answer, status, _ = crm.contacts.batch_api.read_with_http_info(body)
        self.assertEqual(status, 207)
        self.assertEqual([record.id for record in answer.results], [made.id])
        self.assertEqual(answer.num_errors, 1)
        self.assertEqual(answer.errors[0].category, "OBJECT_NOT_FOUND")
        self.assertIn("999", answer.errors[0].context["ids"])

    def test_one_bad_row_refuses_the_whole_batch(self):
        good = address()
        rows = [{"email": good}, {"email": address(), "no_such_property": "x"}]
        inputs = [contacts.SimplePublicObjectBatchInputForCreate(properties=row) for row in rows]
        body = contacts.BatchInputSimplePublicObjectBatchInputForCreate(inputs=inputs)
        error = self.refused(400, crm.contacts.batch_api.create, body)
        self.assertEqual(error["category"], "VALIDATION_ERROR")
        self.refused(404, crm.contacts.basic_api.get_by_id, good, id_property="email")

    def test_trace_ids_turn_it_into_a_207_with_the_bad_row_named(self):
        rows = [{"email": address()}, {"email": address(), "no_such_property": "x"}, {"email": address()}]
        inputs = [
            contacts.SimplePublicObjectBatchInputForCreate(properties=row, object_write_trace_id=trace(number))
            for number, row in enumerate(rows)
        ]
        body = contacts.BatchInputSimplePublicObjectBatchInputForCreate(inputs=inputs)
        answer, status, _ = crm.contacts.batch_api.create_with_http_info(body)
        self.assertEqual(status, 207)
        self.assertEqual({record.object_write_trace_id for record in answer.results}, {trace(0), trace(2)})
        self.assertEqual(answer.errors[0].context["objectWriteTraceId"], [trace(1)])

    def test_more_than_a_hundred_rows_are_refused(self):
        inputs = [contacts.SimplePublicObjectId(id=str(number)) for number in range(101)]
        body = contacts.BatchInputSimplePublicObjectId(inputs=inputs)
        self.assertEqual(self.refused(400, crm.contacts.batch_api.archive, body)["category"], "VALIDATION_ERROR")


class Refusals(Case):
    def test_taken_email_is_409_and_names_the_holder(self):
        email = address()
        made = new_contact(email=email)
        error = self.refused(409, new_contact, email=email)
        self.assertEqual(error["message"], f"Contact already exists. Existing ID: {made.id}")
        self.assertEqual(error["category"], "CONFLICT")

    def test_update_to_a_taken_email_is_400_and_names_the_holder(self):
        email = address()
        holder, other = new_contact(email=email), new_contact()
        body = contacts.SimplePublicObjectInput(properties={"email": email})
        error = self.refused(400, crm.contacts.basic_api.update, other.id, body)
        found = re.search(r"propertyName=([^,}]+), value=(.*)} on (\d+)\. (\d+) already has that value", error["message"])
        self.assertEqual(found.groups(), ("email", email, other.id, holder.id))

    def test_bad_values_name_property_and_code(self):
        for values, code in [
            ({"email": "no address"}, "INVALID_EMAIL"),
            ({"no_such_property": "x"}, "PROPERTY_DOESNT_EXIST"),
            ({"lifecyclestage": "no such stage"}, "INVALID_OPTION"),
        ]:
            with self.subTest(code):
                error = self.refused(400, new_contact, **{"email": address(), **values})
                self.assertEqual(error["category"], "VALIDATION_ERROR")
                self.assertTrue(error["message"].startswith("Property values were not valid: ["), error["message"])
                self.assertIn(code, [entry["code"] for entry in error["errors"]])

    def test_unknown_record_property_and_type(self):
        self.refused(404, crm.contacts.basic_api.get_by_id, "999")
        self.refused(404, crm.properties.core_api.get_by_name, "contacts", "no_such", module=properties)
        error = self.refused(400, crm.objects.basic_api.get_page, "no_such_type", module=objects)
        self.assertIn("Unable to infer object type", error["message"])

    def test_bad_token_is_401(self):
        stranger = sandbox.client(token="of-somebody-else")
        error = self.refused(401, stranger.crm.contacts.basic_api.get_page)
        self.assertEqual(error["category"], "INVALID_AUTHENTICATION")

    def test_missing_scope_is_403_and_names_what_would_do(self):
        with Sandbox("--scopes", "crm.objects.contacts.read") as narrow:
            api = narrow.client().crm.contacts.basic_api
            self.assertEqual(api.get_page().results, [])
            body = contacts.SimplePublicObjectInputForCreate(properties={"email": address()})
            error = self.refused(403, api.create, body)
            self.assertEqual(error["category"], "MISSING_SCOPES")
            self.assertIn("crm.objects.contacts.write", error["errors"][0]["context"]["requiredGranularScopes"])

    def test_burst_limit_is_429_with_its_headers(self):
        with Sandbox("--tier", "free") as limited:
            api = limited.client().crm.contacts.basic_api
            _, status, headers = api.get_page_with_http_info()
            self.assertEqual(status, 200)
            self.assertEqual(headers["X-HubSpot-RateLimit-Max"], "100")
            self.assertEqual(headers["X-HubSpot-RateLimit-Remaining"], "99")
            self.assertEqual(headers["X-HubSpot-RateLimit-Interval-Milliseconds"], "10000")
            with self.assertRaises(contacts.exceptions.ApiException) as caught:
                for _ in range(100):
                    api.get_page()
            self.assertEqual(caught.exception.status, 429)
            error = json.loads(caught.exception.body)
            self.assertEqual((error["errorType"], error["policyName"]), ("RATE_LIMIT", "TEN_SECONDLY_ROLLING"))


class Search(Case):
    @classmethod
    def setUpClass(cls):
        cls.group = f"search{next(NUMBERS)}"
        for number in range(5):
            new_contact(
                email=f"{cls.group}-{number}@example.com",
                firstname=["Ada", "Grace", "Edsger", "Barbara", "Donald"][number],
                company=cls.group,
                **({"phone": f"555{number}"} if number % 2 else {}),
            )

    def search(self, *filters, sort="email", **keywords):
        mine = contacts.Filter(property_name="company", operator="EQ", value=self.group)
        group = contacts.FilterGroup(filters=[mine, *filters])
        sorts = [{"propertyName": sort, "direction": "ASCENDING"}]
        request = contacts.PublicObjectSearchRequest(
            filter_groups=[group], sorts=sorts, properties=["firstname"], **{"limit": 100, **keywords}
        )
        return crm.contacts.search_api.do_search(request)

    def test_operators(self):
        filter_of = lambda name, operator, **rest: contacts.Filter(property_name=name, operator=operator, **rest)
        for found, condition in [
            (["Ada"], filter_of("firstname", "EQ", value="ada")),
            (["Barbara", "Donald", "Edsger", "Grace"], filter_of("firstname", "NEQ", value="Ada")),
            (["Ada", "Grace"], filter_of("firstname", "IN", values=["ada", "grace"])),
            (["Barbara", "Donald", "Edsger"], filter_of("firstname", "NOT_IN", values=["ada", "grace"])),
            (["Barbara", "Grace"], filter_of("phone", "HAS_PROPERTY")),
            (["Ada", "Donald", "Edsger"], filter_of("phone", "NOT_HAS_PROPERTY")),
            (["Donald"], filter_of("firstname", "CONTAINS_TOKEN", value="don*")),
            (["Ada", "Barbara", "Donald", "Edsger", "Grace"], filter_of("createdate", "GT", value="1000")),
            ([], filter_of("createdate", "LTE", value="1000")),
            (
                ["Ada", "Barbara", "Donald", "Edsger", "Grace"],
                filter_of("createdate", "BETWEEN", value="1000", high_value="9999999999999"),
            ),
        ]:
            with self.subTest(f"{condition.property_name} {condition.operator}"):
                answer = self.search(condition)
                self.assertEqual(sorted(record.properties["firstname"] for record in answer.results), found)
                self.assertEqual(answer.total, len(found))

    def test_pages_in_order(self):
        names, after = [], None
        while True:
            page = self.search(limit=2, sort="firstname", **({"after": after} if after else {}))
            self.assertEqual(page.total, 5)
            names += [record.properties["firstname"] for record in page.results]
            if page.paging is None:
                break
            after = page.paging.next.after
        self.assertEqual(names, ["Ada", "Barbara", "Donald", "Edsger", "Grace"])

    def test_query_finds_by_default_fields(self):
        request = contacts.PublicObjectSearchRequest(query=f"{self.group}-3@example.com", limit=10)
        found = crm.contacts.search_api.do_search(request)
        self.assertEqual([record.properties["firstname"] for record in found.results], ["Barbara"])

    def test_too_many_filters_are_refused(self):
        some = contacts.Filter(property_name="email", operator="HAS_PROPERTY")
        self.refused(400, self.search, *[some] * 6)

    def test_a_write_is_found_only_after_the_lag(self):
        with Sandbox("--search-lag", "1h", "--no-limits") as lagging:
            client = lagging.client().crm.contacts
            body = contacts.SimplePublicObjectInputForCreate(properties={"email": address()})
            made = client.basic_api.create(body)
            self.assertEqual(client.search_api.do_search(contacts.PublicObjectSearchRequest(limit=10)).total, 0)
            self.assertEqual(client.basic_api.get_by_id(made.id).id, made.id)


class Associations(Case):
    def setUp(self):
        self.contact = new_contact()
        self.company = new_object("companies", name="Analytical Engines")

    def links(self):
        page = crm.associations.v4.basic_api.get_page("contacts", self.contact.id, "companies")
        return {
            str(link.to_object_id): {(kind.category, kind.type_id, kind.label) for kind in link.association_types}
            for link in page.results
        }

    def test_default_in_both_directions(self):
        api = crm.associations.v4.basic_api
        api.create_default("contacts", self.contact.id, "companies", self.company.id)
        self.assertIn(("HUBSPOT_DEFINED", 279, None), self.links()[self.company.id])
        back = api.get_page("companies", self.company.id, "contacts")
        self.assertEqual([str(link.to_object_id) for link in back.results], [self.contact.id])
        self.assertIn(280, [kind.type_id for kind in back.results[0].association_types])
        self.assertIsNone(api.archive("contacts", self.contact.id, "companies", self.company.id))
        self.assertEqual(self.links(), {})

    def test_own_label(self):
        name = f"billing_{next(NUMBERS)}"
        request = labels.PublicAssociationDefinitionCreateRequest(label=name.title(), name=name)
        made = crm.associations.v4.schema.definitions_api.create("contacts", "companies", request).results
        listed = crm.associations.v4.schema.definitions_api.get_all("contacts", "companies").results
        kind = next(entry for entry in listed if entry.label == name.title())
        self.assertIn(kind.type_id, [entry.type_id for entry in made])
        self.assertEqual(kind.category, "USER_DEFINED")
        spec = associations.AssociationSpec(association_category=kind.category, association_type_id=kind.type_id)
        crm.associations.v4.basic_api.create("contacts", self.contact.id, "companies", self.company.id, [spec])
        self.assertIn(("USER_DEFINED", kind.type_id, name.title()), self.links()[self.company.id])

        post = associations.PublicAssociationMultiPost(
            _from=associations.PublicObjectId(id=self.contact.id),
            to=associations.PublicObjectId(id=self.company.id),
            types=[spec],
        )
        body = associations.BatchInputPublicAssociationMultiPost(inputs=[post])
        crm.associations.v4.batch_api.archive_labels("contacts", "companies", body)
        left = self.links().get(self.company.id, set())
        self.assertNotIn("USER_DEFINED", {category for category, _, _ in left})

    def test_batch_create_and_read(self):
        other = new_object("companies", name="Difference Engines")
        spec = associations.AssociationSpec(association_category="HUBSPOT_DEFINED", association_type_id=279)
        posts = [
            associations.PublicAssociationMultiPost(
                _from=associations.PublicObjectId(id=self.contact.id),
                to=associations.PublicObjectId(id=company.id),
                types=[spec],
            )
            for company in (self.company, other)
        ]
        body = associations.BatchInputPublicAssociationMultiPost(inputs=posts)
        answer = crm.associations.v4.batch_api.create("contacts", "companies", body)
        self.assertEqual(answer.status, "COMPLETE")
        self.assertEqual(len(answer.results), 2)

        wanted = [associations.PublicFetchAssociationsBatchRequest(id=self.contact.id)]
        request = associations.BatchInputPublicFetchAssociationsBatchRequest(inputs=wanted)
        read = crm.associations.v4.batch_api.get_page("contacts", "companies", request)
        self.assertEqual(len(read.results), 1)
        self.assertEqual({str(link.to_object_id) for link in read.results[0].to}, {self.company.id, other.id})


class Definitions(Case):
    def test_property_with_group_options_and_uniqueness(self):
        number = next(NUMBERS)
        group = properties.PropertyGroupCreate(name=f"kit_{number}", label="Kit", display_order=-1)
        self.assertEqual(crm.properties.groups_api.create("contacts", group).name, f"kit_{number}")
        key = properties.PropertyCreate(
            name=f"sync_key_{number}", label="Sync key", type="string", field_type="text",
            group_name=f"kit_{number}", has_unique_value=True,
        )
        made = crm.properties.core_api.create("contacts", key)
        self.assertTrue(made.has_unique_value)
        error = self.refused(409, crm.properties.core_api.create, "contacts", key, module=properties)
        self.assertEqual(error["category"], "OBJECT_ALREADY_EXISTS")

        options = [properties.OptionInput(label=label, value=label.lower(), display_order=place, hidden=False)
                   for place, label in enumerate(["Gold", "Silver"])]
        picklist = properties.PropertyCreate(
            name=f"tier_{number}", label="Tier", type="enumeration", field_type="select",
            group_name=f"kit_{number}", options=options,
        )
        crm.properties.core_api.create("contacts", picklist)
        read = crm.properties.core_api.get_by_name("contacts", f"tier_{number}")
        self.assertEqual([option.value for option in read.options], ["gold", "silver"])
        self.assertIn(f"tier_{number}", [entry.name for entry in crm.properties.core_api.get_all("contacts").results])

        first = new_contact(**{f"sync_key_{number}": "row-1", f"tier_{number}": "gold"})
        found = crm.contacts.basic_api.get_by_id("row-1", id_property=f"sync_key_{number}")
        self.assertEqual(found.id, first.id)
        error = self.refused(400, new_contact, **{f"sync_key_{number}": "row-1"})
        self.assertIn(f"{first.id} already has that value", error["message"])
        error = self.refused(400, new_contact, **{f"tier_{number}": "bronze"})
        self.assertIn("was not one of the allowed options", error["message"])

        change = properties.PropertyUpdate(label="Level")
        self.assertEqual(crm.properties.core_api.update("contacts", f"tier_{number}", change).label, "Level")
        self.assertIsNone(crm.properties.core_api.archive("contacts", f"tier_{number}"))

    def test_custom_object_from_schema_to_record(self):
        number = next(NUMBERS)
        wanted = schemas.ObjectSchemaEgg(
            name=f"shipment_{number}",
            labels=schemas.ObjectTypeDefinitionLabels(singular="Shipment", plural=f"Shipments {number}"),
            primary_display_property="code", required_properties=["code"], searchable_properties=["code"],
            secondary_display_properties=[], associated_objects=["CONTACT"],
            properties=[schemas.ObjectTypePropertyCreate(
                name="code", label="Code", type="string", field_type="text", has_unique_value=True)],
        )
        schema = crm.schemas.core_api.create(wanted)
        self.assertRegex(schema.object_type_id, r"^2-\d+$")
        self.assertIn(schema.object_type_id, [entry.object_type_id for entry in crm.schemas.core_api.get_all().results])
        self.assertEqual(crm.schemas.core_api.get_by_id(schema.object_type_id).name, f"shipment_{number}")
        made = new_object(schema.object_type_id, code="S-1")
        read = crm.objects.basic_api.get_by_id(schema.fully_qualified_name, made.id, properties=["code"])
        self.assertEqual(read.properties["code"], "S-1")
        self.refused(400, new_object, schema.object_type_id, module=objects)

    def test_pipeline_with_stages(self):
        stages = [
            pipelines.PipelineStageInput(label="Open", display_order=0, metadata={"probability": "0.2"}),
            pipelines.PipelineStageInput(label="Won", display_order=1, metadata={"probability": "1.0"}),
        ]
        body = pipelines.PipelineInput(label=f"Wholesale {next(NUMBERS)}", display_order=5, stages=stages)
        made = crm.pipelines.pipelines_api.create("deals", body)
        self.assertEqual([stage.label for stage in made.stages], ["Open", "Won"])
        deal = new_object("deals", dealname="First order", pipeline=made.id, dealstage=made.stages[0].id)
        self.assertEqual(deal.properties["dealstage"], made.stages[0].id)
        error = self.refused(
            400, new_object, "deals", dealname="Nowhere", pipeline=made.id, dealstage="no_such_stage", module=objects
        )
        self.assertEqual(error["category"], "VALIDATION_ERROR")
        self.assertIn(made.id, [entry.id for entry in crm.pipelines.pipelines_api.get_all("deals").results])

    def test_owners(self):
        owners = crm.owners.owners_api.get_page(limit=100).results
        self.assertTrue(owners)
        one = crm.owners.owners_api.get_by_id(int(owners[0].id))
        self.assertEqual(one.email, owners[0].email)
        found = crm.owners.owners_api.get_page(email=one.email).results
        self.assertEqual([owner.id for owner in found], [one.id])


class Snapshots(Case):
    def test_a_portal_survives_a_restart(self):
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "portal.json")
            email = address("kept")
            body = contacts.SimplePublicObjectInputForCreate(properties={"email": email})
            with Sandbox("--snapshot", file) as first:
                made = first.client().crm.contacts.basic_api.create(body)
            with Sandbox("--snapshot", file) as second:
                read = second.client().crm.contacts.basic_api.get_by_id(email, id_property="email")
            self.assertEqual(read.id, made.id)


if __name__ == "__main__":
    unittest.main(verbosity=2)
