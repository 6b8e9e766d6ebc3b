"""The account's own settings."""

from tests.api.desk.desk import make_driver_user, make_user


async def test_settings_have_defaults(client, account, bearer):
    settings = await (await client.get("/v1/account", headers=bearer(account.viewer_key))).json()
    assert settings["name"] == "mensajeria"
    assert settings["visibility"] == {"max_stops_before": 3, "max_minutes": 60}
    assert settings["languages"] == ["es", "pt", "en"]
    assert (settings["stop_radius_m"], settings["service_s"]) == (60, 120)


async def test_what_a_change_leaves_out_stays(client, account, other_account):
    first = {"colours": {"primary": "#aa0000"}, "stop_radius_m": 40}
    second = {"visibility": {"max_stops_before": 1, "max_minutes": 30}, "stop_radius_m": 45}
    for change in (first, second):
        changed = await client.patch("/v1/account", json=change, headers=account.headers)
        assert changed.status == 200
    settings = await (await client.get("/v1/account", headers=account.headers)).json()
    assert settings["colours"] == {"primary": "#aa0000"}
    assert settings["visibility"] == {"max_stops_before": 1, "max_minutes": 30}
    assert settings["stop_radius_m"] == 45
    untouched = await (await client.get("/v1/account", headers=other_account.headers)).json()
    assert untouched["stop_radius_m"] == 60


async def test_new_stops_take_the_accounts_radius_and_service(client, account, put_route):
    await client.patch("/v1/account", json={"stop_radius_m": 35, "service_s": 60}, headers=account.headers)
    await put_route(client, account.key)
    route = await (await client.get("/v1/routes/tour-1", headers=account.headers)).json()
    assert [stop["radius_m"] for stop in route["stops"]] == [35] * 4
    assert [stop["service_s"] for stop in route["stops"]] == [60, 300, 60, 60]


async def test_a_stop_may_have_a_radius_of_its_own(client, account, put_route, tour):
    tour["stops"][1]["radius_m"] = 25
    await put_route(client, account.key)
    route = await (await client.get("/v1/routes/tour-1", headers=account.headers)).json()
    assert [stop["radius_m"] for stop in route["stops"]] == [60, 25, 60, 60]


async def test_only_an_admin_changes_settings(client, account, bearer, refused):
    response = await client.patch("/v1/account", json={"service_s": 60}, headers=bearer(account.dispatcher_key))
    await refused(response, 403)


BAD_SETTINGS = [
    ({"languages": []}, "/languages"),
    ({"languages": ["fr"]}, "/languages/0"),
    ({"languages": ["es", "es"]}, "/languages"),
    ({"colours": {"primary": "red"}}, "/colours/primary"),
    ({"colours": {}}, "/colours/primary"),
    ({"visibility": {"max_minutes": 30}}, "/visibility/max_stops_before"),
    ({"visibility": {"max_stops_before": -1, "max_minutes": 30}}, "/visibility/max_stops_before"),
    ({"failure_reasons": [{"code": "No", "text": "x"}]}, "/failure_reasons/0/code"),
    ({"failure_reasons": [{"code": "no", "text": "x"}, {"code": "no", "text": "y"}]}, "/failure_reasons"),
    ({"stop_radius_m": 5}, "/stop_radius_m"),
    ({"stop_radius_m": None}, "/stop_radius_m"),
    ({"service_s": 1e300}, "/service_s"),
    ({"retention": 1}, "/retention"),
]


async def test_a_bad_setting_is_named(client, account, refused):
    for change, at in BAD_SETTINGS:
        await refused(await client.patch("/v1/account", json=change, headers=account.headers), 422, at)


async def test_who_is_told_of_alerts_is_somebody_who_may_be(client, account, pool, make_driver):
    ana = await make_user(pool, account.id)
    await make_driver(client, account.key, "luis")
    luis = await make_driver_user(pool, account.id, 1)
    rules = [{"severity": "critical", "types": ["driver.sos"], "users": [f"us_{ana}"], "emails": ["x@tienda.example"]}]
    body = {"alert_mails": rules, "alert_mails_an_hour": 2}
    response = await client.patch("/v1/account", json=body, headers=account.headers)
    assert (await response.json())["alert_mails"] == rules
    for bad, at in (
        ({}, "/alert_mails/0/users"),
        ({"emails": ["x"]}, "/alert_mails/0/emails/0"),
        ({"emails": ["a b@x.example"]}, "/alert_mails/0/emails/0"),
        ({"users": [f"us_{luis}"]}, "/alert_mails/0/users/0"),
        ({"users": [f"us_{ana}", "us_99"]}, "/alert_mails/0/users/1"),
        ({"users": ["dr_1"]}, "/alert_mails/0/users/0"),
        ({"emails": ["x@tienda.example"], "severity": "off"}, "/alert_mails/0/severity"),
    ):
        response = await client.patch("/v1/account", json={"alert_mails": [bad]}, headers=account.headers)
        assert (response.status, [one["at"] for one in (await response.json())["errors"]]) == (422, [at]), bad
    kept = await (await client.get("/v1/account", headers=account.headers)).json()
    assert (kept["alert_mails"], kept["alert_mails_an_hour"]) == (rules, 2)
