"""Shapes that objects and requests share: addresses, custom fields, the types of what was deleted."""

from __future__ import annotations

from routebooks.sandbox.shapes import shape

ADDRESS = shape(
    "Addr1?:41 Addr2?:41 Addr3?:41 Addr4?:41 Addr5?:41 City?:31 State?:21 PostalCode?:13 Country?:31 Note?:41"
)
BLOCK = shape("Addr1?:41 Addr2?:41 Addr3?:41 Addr4?:41 Addr5?:41")

_DATA_EXT_TYPES = "AMTTYPE/DATETIMETYPE/INTTYPE/PERCENTTYPE/PRICETYPE/QUANTYPE/STR1024TYPE/STR255TYPE"
DATA_EXT = f"OwnerID?:guid DataExtName:31 DataExtType:{_DATA_EXT_TYPES} DataExtValue"

TXN_DEL_TYPES = (
    "ARRefundCreditCard/Bill/BillPaymentCheck/BillPaymentCreditCard/BuildAssembly/Charge/Check/CreditCardCharge/"
    "CreditCardCredit/CreditMemo/Deposit/Estimate/InventoryAdjustment/Invoice/ItemReceipt/JournalEntry/"
    "PayrollLiabilityAdjustment/PayrollPriorPayment/PayrollYearToDateAdjustment/PurchaseOrder/ReceivePayment/"
    "SalesOrder/SalesReceipt/SalesTaxPaymentCheck/TimeTracking/TransferInventory/VehicleMileage/VendorCredit"
)
LIST_DEL_TYPES = (
    "Account/BillingRate/Class/Currency/Customer/CustomerMsg/CustomerType/DateDrivenTerms/Employee/InventorySite/"
    "ItemDiscount/ItemFixedAsset/ItemGroup/ItemInventory/ItemInventoryAssembly/ItemNonInventory/ItemOtherCharge/"
    "ItemPayment/ItemSalesTax/ItemSalesTaxGroup/ItemService/ItemSubtotal/JobType/OtherName/PaymentMethod/"
    "PayrollItemNonWage/PayrollItemWage/PriceLevel/SalesRep/SalesTaxCode/ShipMethod/StandardTerms/ToDo/"
    "UnitOfMeasureSet/Vehicle/Vendor/VendorType/WorkersCompCode"
)
