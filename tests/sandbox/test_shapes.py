"""The same names and the same types of JSON as the examples of the reference have."""

import json
from typing import Any

from common.testing.sandbox import SandboxProcess
from tests.sandbox.clients import BrickLinkClient, BrickOwlClient, BrikickClient
from tests.sandbox.conftest import Store

BL_ORDER = """{"order_id":25000101,"date_ordered":"2025-02-28T10:11:21.703Z",
"date_status_changed":"2025-02-28T12:40:02.000Z","seller_name":"demoseller","store_name":"Demo Bricks",
"buyer_name":"demobuyer","buyer_email":"demobuyer@example.com","require_insurance":false,"status":"PAID",
"is_invoiced":true,"remarks":"gift","total_count":14,"unique_count":2,"total_weight":"33.20","buyer_order_count":3,
"is_filed":false,"drive_thru_sent":false,"salesTax_collected_by_bl":false,"vat_collected_by_bl":false,
"payment":{"method":"PayPal (Onsite)","currency_code":"EUR","date_paid":"2025-02-28T12:40:01.000Z","status":"Received"},
"shipping":{"method_id":116410,"method":"Letter tracked","address":{"name":{"full":"Ada Example","first":"Ada",
"last":"Example"},"full":"1 Example Street\\n12345 Town\\nGermany","address1":"1 Example Street","address2":"",
"country_code":"DE","city":"Town","state":"","postal_code":"12345"}},"cost":{"currency_code":"EUR","subtotal":"4.6190",
"grand_total":"7.3190","etc1":"0.0000","etc2":"0.0000","insurance":"0.0000","shipping":"2.7000","credit":"0.0000",
"coupon":"0.0000","salesTax_collected_by_BL":"0.0000","final_total":"7.3190","vat_rate":"0.00","vat_amount":"0.0000"},
"disp_cost":{"currency_code":"EUR","subtotal":"4.6190","grand_total":"7.3200","etc1":"0.0000","etc2":"0.0000",
"insurance":"0.0000","shipping":"2.7000","credit":"0.0000","coupon":"0.0000","final_total":"7.3200","vat_rate":"0.00",
"vat_amount":"0.0000"}}"""
BL_ITEMS = """[[{"inventory_id":301000017,"item":{"no":"3001","name":"Brick 2 x 4","type":"PART","category_id":5},
"color_id":5,"color_name":"Red","quantity":12,"new_or_used":"U","unit_price":"0.1200","description":"light play wear",
"remarks":"A-01-03","disp_unit_price":"0.1200","disp_unit_price_final":"0.1200","unit_price_final":"0.1200",
"order_cost":"0.0000","currency_code":"EUR","disp_currency_code":"EUR","weight":"2.32"}]]"""
BL_PRICE = """{"item":{"no":"3006","type":"PART"},"new_or_used":"N","currency_code":"USD","min_price":"0.0525",
"max_price":"3.4290","avg_price":"0.5332","qty_avg_price":"0.3653","unit_quantity":2,"total_quantity":7,
"price_detail":[{"quantity":1,"unit_price":"0.6384","seller_country_code":"US","buyer_country_code":"US",
"date_ordered":"2025-02-16T23:58:22.797Z"}]}"""
BO_LOT = r"""{"con":"new","full_con":"new","qty":"12","lot_id":"2726773","price":"0.720","base_price":"0.720",
"final_price":"0.720","url":"http:\/\/demo.brickowl.com\/store\/x","owl_id":"83369","public_note":"",
"personal_note":"A03","sale_percent":"0","bulk_qty":"1","for_sale":"1","my_cost":null,"lot_weight":null,
"reserve_uid":null,"boid":"306255-64","external_lot_ids":{"other":"301000021"},"type":"Part",
"ids":[{"id":"30562","type":"design_id"}],"tier_price":[["25","0.650"]]}"""
BO_VIEW = """{"order_id":"9277759","order_time":"1740737481","processed_time":null,
"iso_order_time":"2025-02-28T10:11:21+00:00","iso_processed_time":"1970-01-01T01:00:00+01:00","store_id":"907",
"ship_method_name":"Letter","ship_method_id":"24","status":"Processing","status_id":"3","weight":"47.020",
"ship_total":"2.30","buyer_note":"","total_quantity":"83","total_lots":"21","base_currency":"EUR",
"payment_method_type":"paypal_standard","payment_currency":"EUR","payment_total":"8.47","base_order_total":"8.47",
"sub_total":"6.17","coupon_discount":"0.00","tax_rate":"0.00","tax_amount":"0.00","tracking_number":null,
"buyer_name":"Ada Example","combine_with":null,"refund_total":"0.00","brickowl_fee":0.15425,"seller_note":null,
"customer_email":"ada@example.com","customer_username":"ada","ship_first_name":"Ada","ship_last_name":"Example",
"ship_country_code":"DE","ship_country":"Germany","ship_post_code":"12345","ship_street_1":"1 Example Street",
"ship_street_2":"","ship_city":"Town","ship_region":"","ship_phone":""}"""
BO_ITEMS = r"""[{"image_small":"\/\/img.brickowl.com\/x.png","condition":"New","full_con":"new","name":"LEGO",
"type":"Part","boid":"487300-38","personal_note":"B02","bl_lot_id":"301000044",
"external_lot_ids":{"other":"301000044"},"remaining_quantity":"79","refunded_quantity":"0","weight":"0.260",
"public_note":"","ordered_quantity":"1","order_item_id":"433711","base_price":"0.104","color_name":"Black",
"color_id":"38","lot_id":"2726913","ids":[{"id":"3069","type":"design_id"}]}]"""
BK_ORDER = """{"id":70001,"version":2,"order_number":"BK-70001","status":"PAID","placed_at":"2025-02-28T10:11:21.703Z",
"updated_at":"2025-02-28T10:12:00.000Z","paid_at":"2025-02-28T10:12:00.000Z","shipped_at":null,
"buyer":{"id":55,"username":"ada","name":"Ada Example","email":"ada@example.com"},
"ship_to":{"name":"Ada Example","address1":"1 Example Street","address2":"","city":"Town","state":"",
"postal_code":"12345","country":"DE","phone":null},"currency":"EUR","items_total":"1.44","shipping_cost":"2.70",
"insurance_cost":"0.00","tax_amount":"0.00","discount_amount":"0.00","grand_total":"4.14","payment_status":"COMPLETED",
"shipping_method":"Letter tracked","tracking_number":null,"tracking_url":null,"note":null,
"lines":[{"id":1,"lot_id":900017,"external_id":"5f0c","item_type":"P","item_no":"3001","item_name":"Brick 2 x 4",
"color_id":5,"condition":"U","completeness":null,"description":"light play wear","remarks":"A-01-03","quantity":12,
"unit_price":"0.1200","line_total":"1.44","refunded_quantity":0}]}"""
BUYER = {"number": 1, "phone": "", "country": "DE", "is_partial": False}


def differences(wanted: Any, found: Any, path: str = "", *, may_have_more: bool = False) -> list[str]:
    """Answer where two values are not of one shape."""
    if type(wanted) is not type(found):
        return [f"{path}: {wanted!r} and {found!r}"]
    if isinstance(wanted, dict):
        problems = [f"{path}.{name} is missing" for name in wanted if name not in found]
        if not may_have_more:
            problems += [f"{path}.{name} is too much" for name in found if name not in wanted]
        for name in wanted.keys() & found.keys():
            problems += differences(wanted[name], found[name], f"{path}.{name}", may_have_more=may_have_more)
        return problems
    if isinstance(wanted, list):
        return [problem for each in found for problem in differences(wanted[0], each, f"{path}[]")]
    return []


def test_bricklinks(bricklink: BrickLinkClient, bricklink_store: Store) -> None:
    lot = bricklink_store.put(description="light play wear", remarks="A-01-03")
    order = bricklink_store.order((lot, 2), buyer=BUYER, options={"remarks": "gift"})["id"]
    bricklink_store.buyer(order, "pay")
    assert differences(json.loads(BL_ORDER), bricklink.get(f"/orders/{order}")) == []
    assert differences(json.loads(BL_ITEMS), bricklink.get(f"/orders/{order}/items")) == []
    assert list(json.loads(BL_ORDER)) == list(bricklink.get(f"/orders/{order}"))
    guide = bricklink.get("/items/PART/3006/price?guide_type=sold&currency_code=USD&color_id=7")
    assert guide["price_detail"]
    assert differences(json.loads(BL_PRICE), guide) == []


def test_brick_owls(brickowl: BrickOwlClient, brickowl_store: Store) -> None:
    tiers = {"tier_quantity1": 5, "tier_price1": 1000}
    lot = brickowl_store.put(grade="new", external_id="301000021", quantity=50, **tiers)
    assert differences(json.loads(BO_LOT), brickowl.get("inventory/list").json[0]) == []
    order = brickowl_store.order((lot, 2), buyer=BUYER)["id"]
    view = brickowl.get("order/view", order_id=order).json
    assert differences(json.loads(BO_VIEW), view, may_have_more=True) == []
    assert differences(json.loads(BO_ITEMS), brickowl.get("order/items", order_id=order).json) == []


def test_brikicks(brikick: BrikickClient, brikick_store: Store, sandbox: SandboxProcess) -> None:
    lot = brikick_store.put(external_id="mine")
    order = brikick_store.order((lot, 2), buyer=BUYER)["id"]
    brikick_store.buyer(order, "pay")
    assert differences(json.loads(BK_ORDER), brikick.get(f"/orders/{order}")) == []
    assert list(json.loads(BK_ORDER)) == list(brikick.get(f"/orders/{order}"))
    brikick.patch(f"/lots/{lot}", {"quantity_delta": -1})
    brikick_store.settings(eventual_ms=60_000)
    assert brikick.get("/lots")["items"] == []
    assert brikick.get(f"/lots/{lot}")["quantity"] == 7
