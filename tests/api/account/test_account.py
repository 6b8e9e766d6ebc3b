"""The account's own settings."""


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
