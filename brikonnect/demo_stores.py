"""The accounts of the demo's seller on the imitated marketplaces, as they are from the start (`sandbox/sellers.py`)."""

BRICKLINK = {
    "consumer_key": "CKDEMO00000000000000000000000001",
    "consumer_secret": "CSDEMO00000000000000000000000002",
    "token": "TKDEMO00000000000000000000000003",
    "token_secret": "TSDEMO00000000000000000000000004",
}
BRICKOWL = {"key": "d3m0" * 16}
